// SPDX-License-Identifier: Apache-2.0
// Plays the model for real agents, on loopback: each turn hands out the next command of a script, then says DONE.
// Speaks the two streaming formats that the agents here use. usage: node model-server.mjs SCRIPT.json LOG
// Prints the port it listens on; LOG gets each request body, so a test can see what the model was told.
import fs from 'node:fs';
import http from 'node:http';

const [scriptFile, logFile] = process.argv.slice(2);
const commands = JSON.parse(fs.readFileSync(scriptFile, 'utf8'));
const isShell = name => ['bash', 'shell', 'shell_command', 'exec_command'].includes(name);

const frame = (data, event) => `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

function toolInput(tool, command) {
  switch (tool) {
    case 'exec_command': return { cmd: command };
    case 'shell': return { command: ['bash', '-lc', command] };
    default: return { command, description: 'next step' };
  }
}

// Chat completions: one chunk with the answer, one that ends it.
function* chat(body) {
  const turn = (body.messages ?? []).filter(message => message.role === 'tool').length;
  const tool = (body.tools ?? []).map(entry => entry.function?.name).find(isShell);
  const command = tool ? commands[turn] : undefined;
  const head = { id: `chat-${turn}`, object: 'chat.completion.chunk', created: 0, model: body.model };
  const call = { index: 0, id: `call-${turn}`, type: 'function', function: { name: tool, arguments: JSON.stringify(toolInput(tool, command)) } };
  const delta = command ? { role: 'assistant', tool_calls: [call] } : { role: 'assistant', content: 'DONE' };
  const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
  yield frame({ ...head, choices: [{ index: 0, delta, finish_reason: null }] });
  yield frame({ ...head, choices: [{ index: 0, delta: {}, finish_reason: command ? 'tool_calls' : 'stop' }], usage });
  yield frame('[DONE]');
}

// Responses: created, one item, completed.
function* responses(body) {
  const turn = (body.input ?? []).filter(item => (item.type ?? '').endsWith('_call_output')).length;
  const tool = (body.tools ?? []).map(entry => entry.name ?? entry.type).find(isShell);
  const command = tool ? commands[turn] : undefined;
  const id = `response-${turn}`;
  const item = command
    ? { type: 'function_call', id: `item-${turn}`, call_id: `call-${turn}`, name: tool, arguments: JSON.stringify(toolInput(tool, command)) }
    : { type: 'message', id: `item-${turn}`, role: 'assistant', content: [{ type: 'output_text', text: 'DONE' }] };
  const usage = { input_tokens: 1, input_tokens_details: null, output_tokens: 1, output_tokens_details: null, total_tokens: 2 };
  yield frame({ type: 'response.created', response: { id } }, 'response.created');
  yield frame({ type: 'response.output_item.done', output_index: 0, item }, 'response.output_item.done');
  yield frame({ type: 'response.completed', response: { id, usage } }, 'response.completed');
}

function answer(url, text, response) {
  const route = url.split('?')[0];
  const body = text ? JSON.parse(text) : {};
  if (route.endsWith('/models')) {
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify({ object: 'list', data: [{ id: 'mock', object: 'model' }] }));
  }
  const stream = route.endsWith('/chat/completions') ? chat : route.endsWith('/responses') ? responses : undefined;
  if (!stream) {
    response.statusCode = 404;
    return response.end();
  }
  response.setHeader('content-type', 'text/event-stream');
  for (const part of stream(body)) response.write(part);
  return response.end();
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => {
    const text = Buffer.concat(parts).toString();
    fs.appendFileSync(logFile, JSON.stringify({ url: request.url, body: text }) + '\n');
    answer(request.url, text, response);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
