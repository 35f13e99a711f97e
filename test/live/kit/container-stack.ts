import { readFileSync } from 'node:fs'
import type { Behaviour } from './behaviour.ts'
import type { DockerStand } from './docker.ts'
import { APP, createStack, type Stack } from './stack.ts'

/** The service that the live tests release, as containers. */
export const containerRun = {
  image: 'thing:{{version}}',
  port: 3000,
  command: '/usr/local/bin/node /app/server.js',
  env: { HOST: '0.0.0.0' },
  replicas: 2,
  stopGrace: '5s',
}
const strategy = { canary: { steps: [{ weight: '30%', pause: '2s' }], watch: '500ms', hold: '200ms' } }

/** A version of it as an image of this engine; no registry knows it. */
export function thingImage(
  engine: DockerStand,
  version: string,
  behaviour: Behaviour = {},
  changes?: readonly string[],
): Promise<string> {
  const files = {
    'server.js': readFileSync(APP, 'utf8'),
    'package.json': '{ "type": "module" }',
    'behaviour.json': JSON.stringify(behaviour),
  }
  return engine.importImage(`thing:${version}`, files, changes)
}

export type ContainerStackOptions = { env?: Record<string, string>; file?: Record<string, unknown> }

/** An installation whose instances are containers of this engine. */
export async function createContainerStack(
  engine: DockerStand,
  { env = engine.env, file = {} }: ContainerStackOptions = {},
): Promise<Stack> {
  const stack = await createStack({ versions: {}, file: { run: containerRun, strategy, ...file } })
  await stack.startController({ env })
  return stack
}

/** One with 1.0.0 as its stable version. */
export async function startContainerStack(
  engine: DockerStand,
  options: ContainerStackOptions = {},
): Promise<Stack> {
  const stack = await createContainerStack(engine, options)
  const first = await stack.deploy('1.0.0')
  if (first.outcome !== 'promoted') throw new Error(`the first release: ${first.reason.message}`)
  return stack
}
