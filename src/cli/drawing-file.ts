import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { type SvgNode, svgText } from '../core/analysis/evidence/svg.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
import type { Session } from './session.ts'

/** A file has no page around it that could tell how wide it is shown. */
export const DRAWING_WIDTH = 400

/** Writes a drawing where the person asked for it, and says so; `what` is named in the message. */
export function writeDrawing(
  session: Session,
  { file, what, drawing }: { file: string; what: string; drawing: SvgNode },
): Problem | null {
  const place = path.resolve(session.io.cwd, file)
  try {
    writeFileSync(place, `${svgText(drawing)}\n`)
  } catch (error) {
    return problem('CHART_UNWRITABLE', {
      message: `The chart cannot be written to ${place}.`,
      cause: error instanceof Error ? error.message : String(error),
      remedy: 'Name a file in a folder that is there and may be written to.',
    })
  }
  session.note(`The chart of ${what} is in ${place}.`)
  return null
}
