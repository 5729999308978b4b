//! The fuzzer: LibAFL in one process, with a map of counters that `instrument` has compiled into the targets.

use std::time::{Duration, Instant};

use libafl::corpus::{Corpus, InMemoryCorpus, OnDiskCorpus};
use libafl::events::SimpleEventManager;
use libafl::executors::{ExitKind, InProcessExecutor};
use libafl::feedbacks::{CrashFeedback, MapFeedbackMetadata, MaxMapFeedback, TimeoutFeedback};
use libafl::fuzzer::{Evaluator, Fuzzer, StdFuzzer};
use libafl::inputs::{BytesInput, HasTargetBytes};
use libafl::monitors::SimpleMonitor;
use libafl::mutators::{HavocScheduledMutator, Tokens, havoc_mutations, tokens_mutations};
use libafl::observers::{HitcountsMapObserver, MapObserver, StdMapObserver};
use libafl::schedulers::QueueScheduler;
use libafl::stages::StdMutationalStage;
use libafl::state::{HasCorpus, HasExecutions, HasMaxSize, HasSolutions, StdState};
use libafl::{Error, HasMetadata, HasNamedMetadata, feedback_or_fast};
use libafl_bolts::ToSlice;
use libafl_bolts::rands::StdRand;
use libafl_bolts::tuples::{Merge, tuple_list};
use libafl_targets::extra_counters;

use crate::Args;

const MAP: &str = "counters";
/// Longest input, in bytes.
const MAX_INPUT: usize = 2048;
/// Longest time for one run.
const TIMEOUT: Duration = Duration::from_secs(5);
/// How often progress is shown.
const STEPS: u64 = 10;

/// Runs the target `args.runs` times. A crash ends the process, with the input in `args.crashes`.
pub(crate) fn fuzz(args: &Args) -> Result<(), Error> {
    // SAFETY: the counters live as long as the process, and nobody else makes an observer of them.
    let mut maps = unsafe { extra_counters() };
    let (Some(map), true) = (maps.pop(), maps.is_empty()) else {
        return Err(Error::illegal_state(
            "no counters, or several maps of them: was this built by `fuzz/run`?",
        ));
    };
    let counters = HitcountsMapObserver::new(StdMapObserver::from_mut_slice(MAP, map));
    let edges = counters.usable_count();
    let mut feedback = MaxMapFeedback::new(&counters);
    let mut objective = feedback_or_fast!(CrashFeedback::new(), TimeoutFeedback::new());
    let crashes = args.crashes.join(args.target.name);
    let mut state = StdState::new(
        StdRand::with_seed(args.seed),
        InMemoryCorpus::<BytesInput>::new(),
        OnDiskCorpus::new(&crashes)?,
        &mut feedback,
        &mut objective,
    )?;
    state.set_max_size(MAX_INPUT);
    let words = args.target.words.iter().map(|word| word.as_bytes().to_vec());
    state.add_metadata(Tokens::from(words.collect::<Vec<_>>()));

    let mut manager = SimpleEventManager::new(SimpleMonitor::new(|_| ()));
    let mut fuzzer = StdFuzzer::new(QueueScheduler::new(), feedback, objective);
    let mut harness = |input: &BytesInput| {
        (args.target.run)(input.target_bytes().to_slice());
        ExitKind::Ok
    };
    let mut executor = InProcessExecutor::builder()
        .timeout(TIMEOUT)
        .harness(&mut harness)
        .observers(tuple_list!(counters))
        .fuzzer(&mut fuzzer)
        .state(&mut state)
        .event_mgr(&mut manager)
        .build()?;

    let begun = Instant::now();
    fuzzer.add_input(&mut state, &mut executor, &mut manager, BytesInput::new(vec![b' ']))?;
    if let Some(seeds) = &args.seeds {
        let mut files: Vec<_> = std::fs::read_dir(seeds)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.sort();
        for file in files {
            let bytes = std::fs::read(file)?;
            fuzzer.evaluate_input(&mut state, &mut executor, &mut manager, &BytesInput::new(bytes))?;
        }
    }
    let mutator = HavocScheduledMutator::new(havoc_mutations().merge(tokens_mutations()));
    let mut stages = tuple_list!(StdMutationalStage::new(mutator));
    for step in 0..=STEPS {
        while *state.executions() < args.runs * step / STEPS {
            fuzzer.fuzz_one(&mut stages, &mut executor, &mut state, &mut manager)?;
        }
        let seen = state.named_metadata::<MapFeedbackMetadata<u8>>(MAP)?.num_covered_map_indexes;
        println!(
            "{}: {} runs, {} crashes, {seen} of {edges} edges, {} inputs kept, {:.1} s",
            args.target.name,
            state.executions(),
            state.solutions().count(),
            state.corpus().count(),
            begun.elapsed().as_secs_f64(),
        );
    }
    if state.solutions().count() > 0 {
        return Err(Error::unknown(format!("inputs that crash or hang are in {}", crashes.display())));
    }
    Ok(())
}
