import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { eventually } from './kit/settle.ts'
import { createStack } from './kit/stack.ts'
import { startTraffic } from './kit/traffic.ts'

const KEY = Buffer.from('a key of at least twenty-four bytes')

type Heard = { id: string; body: string; isSigned: boolean; answered: boolean }

it('webhook and command hear of a rollback once per key, signed, although the controller is killed while it tells', async () => {
  const receiver = await startReceiver()
  const stack = await createStack({ versions: { '1.0.0': {}, '1.1.0': { errorShare: 1 } } })
  const notes = path.join(stack.folder, 'notes')
  const script = path.join(stack.folder, 'note.mjs')
  writeFileSync(
    script,
    `import { appendFileSync } from 'node:fs'\nappendFileSync(${JSON.stringify(notes)}, process.env.SLUICE_KEY + ' ' + process.env.SLUICE_EVENT + '\\n')\n`,
  )
  stack.writeFile({
    strategy: { canary: { steps: [{ weight: '50%', pause: '20s' }, { weight: '100%' }], hold: '200ms' } },
    notify: [
      { name: 'ops', webhook: receiver.url, secret: 'HOOK_KEY', on: ['rollout.rolled_back'] },
      { name: 'pager', command: [process.execPath, script], on: ['rollout.rolled_back'] },
    ],
  })
  await stack.startController()
  writeFileSync(path.join(stack.state, 'secrets.env'), `HOOK_KEY=whsec_${KEY.toString('base64')}\n`, {
    mode: 0o600,
  })
  expect((await stack.deploy('1.0.0')).outcome).toBe('promoted')
  const traffic = await startTraffic(stack, { slow: 0, webSockets: 0 })
  const rollout = await stack.begin('1.1.0')
  expect(await stack.outcome(rollout)).toBe('rolled_back')

  // The first attempt is never answered: the controller dies while it waits.
  await eventually('a first attempt', () => receiver.heard.length > 0)
  await eventually('the note of the command', () => existsSync(notes))
  await stack.kill('controller')
  receiver.answer()
  await stack.startController()
  await eventually('an attempt that was answered', () => receiver.heard.some(({ answered }) => answered))
  await traffic.stop()
  await eventually(
    'no message that waits',
    async () => (await stack.cli('outbox', '--json')).out.includes('pending') === false,
  )

  const messages = new Set(receiver.heard.map(({ id, body }) => `${id} ${JSON.parse(body).type}`))
  expect([...messages]).toEqual([expect.stringMatching(/ rollout\.rolled_back$/)])
  expect(receiver.heard.every(({ isSigned }) => isSigned)).toBe(true)
  expect(receiver.heard.filter(({ answered }) => answered)).toHaveLength(1)
  expect(JSON.parse(receiver.heard.at(-1)?.body ?? '').data).toMatchObject({ rollout, to: '1.1.0' })
  const lines = readFileSync(notes, 'utf8').trim().split('\n')
  expect(new Set(lines).size).toBe(1)
  expect(lines[0]).toMatch(/ rollout\.rolled_back$/)
  console.log(`webhook: ${receiver.heard.length} attempts of one message; command: ${lines.length} runs`)
})

/** Holds requests back until it is told to answer; verifies each signature as Standard Webhooks describes it. */
async function startReceiver(): Promise<{ url: string; heard: Heard[]; answer(): void }> {
  const heard: Heard[] = []
  let answers = false
  const hear = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = ''
    for await (const chunk of message.setEncoding('utf8')) body += chunk
    const id = String(message.headers['webhook-id'])
    const signature = createHmac('sha256', KEY)
      .update(`${id}.${message.headers['webhook-timestamp']}.${body}`)
      .digest('base64')
    const isSigned = String(message.headers['webhook-signature']).split(' ').includes(`v1,${signature}`)
    heard.push({ id, body, isSigned, answered: answers })
    if (answers) response.end()
  }
  const server = createServer((message, response) => void hear(message, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}/hook`,
    heard,
    answer: () => {
      answers = true
    },
  }
}
