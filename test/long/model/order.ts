import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import * as z from 'zod'
import { exitCodeOf } from '../../../src/cli/exit-code.ts'
import { type RolloutView, ServiceView } from '../../../src/core/rollout/view/view.ts'
import type { Shop } from './shop.ts'

/** Who asks: a person with the command line, or a program with the API. Both must hear the same. */
export type Face = 'cli' | 'api'

/** The same order for both faces. `note` finds it again in the journal. */
export type Order = { words: readonly string[]; operation: string; input: object; note: string | null }

/** `view` and `rollout` are what an accepted order came back with; `problem` is the code of a refused one. */
export type Reply = {
  code: number
  problem: string | null
  view: ServiceView | null
  rollout: string | null
  /** What was said, for messages. */
  text: string
}

const Spoken = z.object({
  view: ServiceView.exactOptional(),
  rollout: z.union([z.string(), z.null(), z.custom<RolloutView>()]).exactOptional(),
  problem: z.object({ code: z.string(), message: z.string() }).exactOptional(),
})

export function send(shop: Shop, face: Face, order: Order): Promise<Reply> {
  return face === 'cli' ? sendByHand(shop, order) : sendByProgram(shop, order)
}

async function sendByHand({ stack }: Shop, { words, note }: Order): Promise<Reply> {
  const reason = note === null ? [] : ['--reason', note]
  const { code, out, err } = await stack.cli(...words, ...reason, '--json')
  const said = out
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => Spoken.parse(JSON.parse(line)))
  const last = said.at(-1)
  const problem = last?.problem?.code ?? null
  expect(code === 0 || problem !== null || err !== '' || out !== '', 'a failure that says nothing').toBe(true)
  return {
    code,
    problem,
    view: last?.view ?? null,
    rollout: typeof last?.rollout === 'string' ? last.rollout : null,
    text: `exit ${code}\n${out.slice(-1500)}\n${err.slice(-1500)}`,
  }
}

async function sendByProgram({ stack }: Shop, { operation, input, note }: Order): Promise<Reply> {
  const order = note === null ? input : { ...input, reason: note }
  const key = KEYED.has(operation) ? randomUUID() : undefined
  const answer = await stack.client.call(operation, order, z.unknown(), key)
  if (answer.kind === 'failed') {
    const { code, message } = answer.problem
    return {
      code: exitCodeOf({ code }),
      problem: code,
      view: null,
      rollout: null,
      text: `${code}: ${message}`,
    }
  }
  const said = Spoken.safeParse(answer.value)
  return {
    code: 0,
    problem: null,
    view: said.data?.view ?? null,
    rollout: typeof said.data?.rollout === 'string' ? said.data.rollout : null,
    text: JSON.stringify(answer.value).slice(0, 1500),
  }
}

/** They take a name for the request, so that a lost answer can be asked for again. */
const KEYED = new Set(['deploy', 'rollback'])
