import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { SettleMessage } from '../../../ports/store.ts'
import { unknownMessage } from '../../../ports/store-problems.ts'
import { type OutboxFields, readOutboxFields, sealOutbox } from './rows.ts'
import type { Statements } from './statements.ts'

/** Records what became of one attempt. A message that is no longer pending stays as it is: repeats are harmless. */
export function settle(sql: Statements, outcome: SettleMessage): Result<void> {
  const row = sql.message.get(outcome.channel, outcome.key)
  if (row === undefined) return failed(unknownMessage(outcome.channel, outcome.key))
  const before = readOutboxFields(row)
  if (before.state !== 'pending') return ok(undefined)
  const after = settled(before, outcome)
  const { state, attempts, notBefore, lastError, channel, key } = after
  sql.settleMessage.run(state, attempts, notBefore, lastError, sealOutbox(after), channel, key)
  return ok(undefined)
}

function settled(before: OutboxFields, outcome: SettleMessage): OutboxFields {
  const attempts = before.attempts + 1
  switch (outcome.kind) {
    case 'delivered':
      return { ...before, attempts, state: 'delivered', notBefore: outcome.at }
    case 'retry':
      return { ...before, attempts, notBefore: outcome.notBefore, lastError: outcome.error }
    case 'dead':
      return { ...before, attempts, state: 'dead', lastError: outcome.error }
  }
}
