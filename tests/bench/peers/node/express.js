import express from 'express';
import { HOST, PATH, PORT, answer } from './endpoint.js';

const app = express();
app.post(PATH, express.raw({ type: 'application/json', inflate: false }), async (request, response) => {
  const { status, body } = await answer(request.get('Fastio-Signature'), request.body);
  if (status === 503) {
    response.set('Retry-After', '2');
  }
  response.status(status).json(body);
});
app.listen(Number(PORT), HOST);
