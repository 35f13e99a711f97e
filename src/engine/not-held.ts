import type { Problem } from '../core/shared/problem.ts'
import { problem } from '../core/shared/problem.ts'

export const notHeld = (stream: string): Problem =>
  problem('STORE_FENCED', {
    message: `This controller does not look after ${stream} now.`,
    remedy: 'Nothing: the controller that does goes on.',
  })
