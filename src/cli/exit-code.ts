import { EXIT_CODE, type Outcome } from '../core/rollout/outcome.ts'
import type { Problem } from '../core/shared/problem.ts'

/** Codes of problems that are about what was typed or written, not about the state of the world. */
const USAGE =
  /^(USAGE|CONFIG_|INPUT_|JUDGE_|KAYENTA_|SCRIPT_|INIT_(BAD|NOTHING)_|SERVICE_(NOT_FOUND|AMBIGUOUS)|ENVIRONMENT_|ROLLOUT_NOT_FOUND$|ARTIFACT_NOT_FOUND$|VERSION_INVALID$)/
const UNREACHABLE = /^(CONTROLLER_|.*_UNREACHABLE$)/
const INTERNAL = /^INTERNAL/

/** One table for every command: what is neither usage nor out of reach was refused. */
export function exitCodeOf({ code }: Pick<Problem, 'code'>): number {
  if (INTERNAL.test(code)) return EXIT_CODE.internal
  if (USAGE.test(code)) return EXIT_CODE.usage
  if (UNREACHABLE.test(code)) return EXIT_CODE.unreachable
  return EXIT_CODE.refused
}

export const exitCodeOfOutcome = (outcome: Outcome): number => EXIT_CODE[outcome]
