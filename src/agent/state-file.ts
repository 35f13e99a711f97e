import { existsSync, readFileSync } from 'node:fs'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { AgentState, emptyState } from './agent-state.ts'
import { writeDurably } from './durable-file.ts'

/** Reads agent.json; a missing file is an agent that never ran. A damaged one is refused, never taken for empty. */
export function readState(path: string, hostBoot: string): Result<AgentState> {
  if (!existsSync(path)) return ok(emptyState(hostBoot))
  const parsed = AgentState.safeParse(parseJson(readFileSync(path, 'utf8')))
  if (parsed.success) return ok(parsed.data)
  return failed(
    problem('AGENT_STATE_UNREADABLE', {
      message: `${path} is not a state file that this agent understands`,
      cause: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
      remedy:
        'Start the version of Sluice that wrote it, or restore the file. Removing it makes the agent forget what it runs.',
    }),
  )
}

/**
 * Writes agent.json. When `save` returns, the state is on the disk.
 * Synchronous on purpose: no other decision can slip in between a change and its record.
 */
export function saveState(path: string, state: AgentState): void {
  writeDurably(path, `${JSON.stringify(state, null, 1)}\n`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
