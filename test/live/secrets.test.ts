import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { expect, it } from 'vitest'
import { getText } from './kit/scrape.ts'
import { createStack, impatientHealth, type Stack } from './kit/stack.ts'

const CANARY = 'canary-token-6f1b9d0e42aa'
const run = {
  artifact: './releases/{{version}}',
  command: 'node server.js',
  replicas: 1,
  secrets: ['API_KEY'],
}

it('a secret that the app prints stays out of every file, output and answer, but for the log of the instance itself (S65)', async () => {
  const stack = await createStack({
    versions: {
      '1.0.0': { printsVariables: ['API_KEY'] },
      '1.1.0': { printsVariables: ['API_KEY'], neverReady: true },
      '1.2.0': { printsVariables: ['API_KEY'], exitsWith: 1 },
    },
    file: { run },
  })
  // With every line that there is: the logs are among the files below.
  await stack.startController({ env: { SLUICE_LOG_LEVEL: 'debug' } })
  writeFileSync(path.join(stack.state, 'secrets.env'), `API_KEY=${CANARY}\n`, { mode: 0o600 })
  const said: string[] = []
  const say = async (...words: string[]) => {
    const { out, err } = await stack.cli(...words)
    said.push(out + err)
  }
  await say('deploy', '1.0.0', '--yes', '--json')
  stack.writeFile({ run, health: impatientHealth })
  await say('deploy', '1.1.0', '--yes')
  await say('deploy', '1.2.0', '--yes', '--json')
  await say('logs')
  expect(said.at(-1)).toContain('API_KEY is [redacted]')
  for (const words of [
    ['plan', '1.0.0'],
    ['status'],
    ['status', '--json'],
    ['explain'],
    ['history'],
    ['release', 'list'],
    ['doctor'],
    ['deploy', '9.9.9', '--yes'],
  ])
    await say(...words)
  for (const [operation, input] of [
    ['get_service', {}],
    ['list_rollouts', {}],
    ['list_releases', {}],
    ['get_logs', {}],
    ['diagnose', {}],
    ['list_messages', {}],
  ] as const)
    said.push(await rawAnswer(stack, operation, input))
  for (const url of ['/metrics', '/metrics/proxy', '/metrics/agent', '/healthz', '/readyz'])
    said.push((await getText(path.join(stack.state, 'controller.sock'), url)).text)

  expect(said.filter((text) => text.includes(CANARY))).toEqual([])
  expect(said.every((text) => text.length > 0)).toBe(true)
  const withSecret = filesUnder(stack.state)
    .filter((file) => readFileSync(file).includes(CANARY))
    .map((file) => path.relative(stack.state, file))
  // What an app writes goes straight to its own log file, so that it never waits for an agent that is away. It is redacted when read.
  expect(withSecret.filter((file) => !/^agent\/logs\/[^/]+\.log$/.test(file))).toEqual(['secrets.env'])
  for (const file of withSecret) expect(statSync(path.join(stack.state, file)).mode & 0o077).toBe(0)
})

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

/** The answer as it came, so that no schema takes anything out of it. */
function rawAnswer(stack: Stack, operation: string, input: object): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        socketPath: path.join(stack.state, 'controller.sock'),
        method: 'POST',
        path: `/api/v1/${operation}`,
        headers: { 'content-type': 'application/json' },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve(text))
      },
    )
    call.on('error', reject)
    call.end(JSON.stringify(input))
  })
}
