import * as z from 'zod'
import { evidenceChart } from '../../core/analysis/evidence/chart.ts'
import { valueChart } from '../../core/analysis/evidence/value-chart.ts'
import { AbView } from '../../core/rollout/ab/ab-result-view.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { RolloutEvidence } from '../../core/rollout/replay/rollout-evidence.ts'
import { ShadowView } from '../../core/rollout/shadow/shadow-result-view.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { connect } from '../controller/connect.ts'
import { DRAWING_WIDTH, writeDrawing } from '../drawing-file.ts'
import { abLines } from '../frame/ab-lines.ts'
import { shadowLines } from '../frame/shadow-lines.ts'
import { rolloutNamed } from '../rollout-named.ts'
import { columnsOf, type Session } from '../session.ts'
import { rolloutLines } from './rollout-text.ts'

const Answer = z.object({
  evidence: RolloutEvidence.nullable(),
  ab: AbView.exactOptional(),
  shadow: ShadowView.exactOptional(),
})

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
  const { evidence, ab, shadow } = answer.value
  if (evidence === null) return session.fail(noBatches(id.value), EXIT_CODE.noData)
  const chosen = chosenChecks(evidence, check)
  if (chosen.kind === 'failed') return session.fail(chosen.problem, EXIT_CODE.usage)
  const shown = { ...evidence, ...chosen.value }
  if (svg !== undefined) {
    const unwritten = writeChart(session, svg, shown)
    if (unwritten !== null) return session.fail(unwritten)
  }
  session.value('rollout-explanation', {
    evidence: shown,
    ...(ab === undefined ? {} : { ab }),
    ...(shadow === undefined ? {} : { shadow }),
  })
  const columns = columnsOf(session)
  session.say([
    ...abLines(ab, { columns }),
    ...shadowLines(shadow, { columns }),
    ...rolloutLines(shown, columns),
  ])
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
  const options = { width: DRAWING_WIDTH, candidate, stable, isAlone: true }
  if (check !== undefined) return { name: check.name, drawn: evidenceChart(check, options) }
  return value === undefined ? null : { name: value.name, drawn: valueChart(value, options) }
}

function writeChart(session: Session, file: string, evidence: RolloutEvidence): Problem | null {
  const chart = drawingOf(evidence)
  if (chart === null) return null
  return writeDrawing(session, { file, what: `"${chart.name}"`, drawing: chart.drawn })
}
