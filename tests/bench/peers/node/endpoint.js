// What the two Node peers have in common: everything of the guide's handler that is not its web framework's business.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Client, Connection, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';

const { SECRET, TEMPORAL_ADDRESS } = process.env;

export const { HOST, PORT } = process.env;
export const PATH = '/webhooks/fastio';

const client = new Client({ connection: await Connection.connect({ address: TEMPORAL_ADDRESS }) });

function signed(header, body) {
  const expected = Buffer.from(`sha256=${createHmac('sha256', SECRET).update(body).digest('hex')}`);
  const given = Buffer.from(header ?? '');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

async function start(event) {
  try {
    await client.workflow.start('processFile', {
      args: [event],
      taskQueue: 'file-processing',
      workflowId: `fastio-${event.eventId}`,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
    });
    return { status: 200, body: { status: 'accepted' } };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return { status: 200, body: { status: 'duplicate' } };
    }
    return { status: 503, body: { error: 'send again' } };
  }
}

/** The answer to a delivery: `body` is the Buffer that came in, `header` the value of Fastio-Signature. */
export async function answer(header, body) {
  if (!Buffer.isBuffer(body)) {
    return { status: 415, body: { error: 'not JSON' } };
  }
  if (!signed(header, body)) {
    return { status: 401, body: { error: 'not signed' } };
  }
  let event;
  try {
    event = JSON.parse(body);
  } catch {
    return { status: 400, body: { error: 'not JSON' } };
  }
  if (event.eventType !== 'upload') {
    return { status: 200, body: { status: 'filtered' } };
  }
  return start(event);
}
