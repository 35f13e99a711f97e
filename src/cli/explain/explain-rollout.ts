import { writeFileSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import { evidenceChart } from '../../core/analysis/evidence/chart.ts'
import { svgText } from '../../core/analysis/evidence/svg.ts'
import { valueChart } from '../../core/analysis/evidence/value-chart.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { RolloutEvidence } from '../../core/rollout/replay/rollout-evidence.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { connect } from '../controller/connect.ts'
import { rolloutNamed } from '../rollout-named.ts'
import { columnsOf, type Session } from '../session.ts'
import { rolloutLines } from './rollout-text.ts'

const Answer = z.object({ evidence: RolloutEvidence.nullable() })
/** A file has no page around it that could tell how wide it is shown. */
const FILE_WIDTH = 400

type Asked = { rollout: string; svg: string | undefined; check: string | undefined }

/** Why a rollout was judged as it was. */
export async function explainRollout(session: Session, { rollout, svg, check }: Asked): Promise<number> {
  const connection = connect(session)
  if (connection.kind === 'failed') return session.fail(connection.problem)
  const { client } = connection.value
  const id = await rolloutNamed(session, client, rollout)
  if (id.kind === 'failed') return session.fail(id.problem)
  const answer = await client.call('explain_rollout', { id: id.value }, Answer)
  if (answer.kind === 'failed') return session.fail(answer.problem)
  const { evidence } = answer.value
  if (evidence === null) return session.fail(noBatches(id.value), EXIT_CODE.noData)
  const chosen = chosenChecks(evidence, check)
  if (chosen.kind === 'failed') return session.fail(chosen.problem, EXIT_CODE.usage)
  const shown = { ...evidence, ...chosen.value }
  if (svg !== undefined) {
    const unwritten = writeChart(session, path.resolve(session.io.cwd, svg), shown)
    if (unwritten !== null) return session.fail(unwritten)
  }
  session.value('rollout-explanation', { evidence: shown })
  session.say(rolloutLines(shown, columnsOf(session)))
  return EXIT_CODE.promoted
}

export const noBatches = (rollout: string): Problem =>
  problem('ROLLOUT_WITHOUT_BATCHES', {
    message: `Nothing was counted in ${rollout}, so there is no verdict.`,
    cause: 'A first release, a rollback and a deploy without steps are not judged, or no request came.',
    remedy: 'See `sluice history` for other rollouts.',
  })

type Chosen = Pick<RolloutEvidence, 'checks' | 'values'>

/** All of them, or the one that was named. */
function chosenChecks({ checks, values }: Chosen, name: string | undefined): Result<Chosen> {
  if (name === undefined) return ok({ checks, values })
  const isNamed = (one: { name: string }): boolean => one.name === name
  const chosen = { checks: checks.filter(isNamed), values: values.filter(isNamed) }
  if (chosen.checks.length + chosen.values.length > 0) return ok(chosen)
  return failed(
    problem('USAGE', {
      message: `There was no check "${name}".`,
      remedy: `The rollout had: ${[...checks, ...values].map((check) => check.name).join(', ')}.`,
    }),
  )
}

/** The most telling check, or the value that was named. */
function drawingOf({ checks: [check], values: [value], ...evidence }: RolloutEvidence) {
  const { candidate, stable } = evidence
  const options = { width: FILE_WIDTH, candidate, stable, isAlone: true }
  if (check !== undefined) return { name: check.name, drawn: evidenceChart(check, options) }
  return value === undefined ? null : { name: value.name, drawn: valueChart(value, options) }
}

function writeChart(session: Session, file: string, evidence: RolloutEvidence): Problem | null {
  const drawing = drawingOf(evidence)
  if (drawing === null) return null
  try {
    writeFileSync(file, `${svgText(drawing.drawn)}\n`)
  } catch (error) {
    return problem('CHART_UNWRITABLE', {
      message: `The chart cannot be written to ${file}.`,
      cause: error instanceof Error ? error.message : String(error),
      remedy: 'Name a file in a folder that is there and may be written to.',
    })
  }
  session.note(`The chart of "${drawing.name}" is in ${file}.`)
  return null
}
