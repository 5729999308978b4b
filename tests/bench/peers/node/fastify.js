import Fastify from 'fastify';
import { HOST, PATH, PORT, answer } from './endpoint.js';

const app = Fastify();
// The bytes as they came: the signature is checked before anything is parsed.
app.removeAllContentTypeParsers();
app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => done(null, body));
app.post(PATH, async (request, reply) => {
  const { status, body } = await answer(request.headers['fastio-signature'], request.body);
  if (status === 503) {
    reply.header('Retry-After', '2');
  }
  return reply.code(status).send(body);
});
await app.listen({ host: HOST, port: Number(PORT) });
