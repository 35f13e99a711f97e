import * as z from 'zod'
import { schemaNodeOf } from '../../config/json-schema.ts'
import { judgeKayenta, type KayentaVerdict } from '../../core/analysis/kayenta/judge.ts'
import { JudgeInput, judgeAll, outputOf } from '../../core/analysis/sequential/judge-file.ts'
import type { Verdict } from '../../core/analysis/sequential/state.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { problem } from '../../core/shared/problem.ts'
import { defineCommand } from '../command.ts'
import { problemsIn } from '../judge/issues.ts'
import { judgementLines } from '../judge/judgement-text.ts'
import { kayentaLines } from '../judge/kayenta-text.ts'
import { readJson, STANDARD_INPUT } from '../judge/read-file.ts'
import { columnsOf, type Session } from '../session.ts'

const EXAMPLE = `{"metrics":[{"name":"errors","kind":"ratio","batches":[{"candidate":{"bad":30,"total":1000},"stable":{"bad":1,"total":1000}}]}]}`

export const command = defineCommand({
  description:
    'Judges a candidate against stable as a rollout does, by counts in a file of JSON (schema/judge-input.schema.json). Ends with 0 for not-worse, 10 for worse, 12 for watching, 14 for no-data, 2 for a file that cannot be used. With --kayenta it is the judge of Kayenta instead: 0 for Pass, 10 for Fail, 12 for Marginal. Needs no controller and no sluice.yaml.',
  arguments: [{ name: 'file', summary: 'file of JSON, or - for standard input', required: false }],
  options: [
    { flags: '--kayenta <config>', summary: "judge by Kayenta's canary config instead (legacy)" },
    { flags: '--data <file>', summary: 'the series of control and experiment for --kayenta' },
  ],
  examples: [
    'sluice judge counts.json',
    `echo '${EXAMPLE}' | sluice judge - --json`,
    'sluice judge --kayenta canary-config.json --data metrics.json --json',
  ],
  input: z.object({
    file: z.string().exactOptional(),
    kayenta: z.string().exactOptional(),
    data: z.string().exactOptional(),
  }),
  run(session, { file, kayenta, data }) {
    if (file !== undefined && kayenta === undefined && data === undefined) return judgeFile(session, file)
    const isKayenta = file === undefined && kayenta !== undefined && data !== undefined
    if (isKayenta && !(kayenta === STANDARD_INPUT && data === STANDARD_INPUT))
      return judgeAsKayenta(session, kayenta, data)
    return Promise.resolve(session.fail(WRONG_WORDS))
  },
})

const WRONG_WORDS = problem('USAGE', {
  message:
    'judge takes one file, or --kayenta and --data together, and at most one of them from standard input.',
  remedy: 'Run `sluice judge FILE`, or `sluice judge --kayenta CONFIG --data FILE`; - is standard input.',
})

async function judgeFile(session: Session, file: string): Promise<number> {
  const read = await readJson(session.io, file)
  if (read.kind === 'failed') return session.fail(read.problem)
  const parsed = JudgeInput.safeParse(read.value.value)
  if (!parsed.success) {
    const schema = schemaNodeOf(JudgeInput)
    return session.fail(problemsIn(parsed.error.issues, { ...read.value, schema }))
  }
  const judgements = judgeAll(parsed.data)
  const output = outputOf(judgements)
  session.value('judgement', output)
  session.say(judgementLines(output.verdict, judgements, columnsOf(session)))
  return EXIT_OF_VERDICT[output.verdict]
}

async function judgeAsKayenta(session: Session, configFile: string, dataFile: string): Promise<number> {
  const config = await readJson(session.io, configFile)
  if (config.kind === 'failed') return session.fail(config.problem)
  const data = await readJson(session.io, dataFile)
  if (data.kind === 'failed') return session.fail(data.problem)
  const judged = judgeKayenta(config.value.value, data.value.value)
  if (judged.kind === 'failed') return session.fail(judged.problem)
  session.value('kayenta-judgement', judged.value)
  session.say(kayentaLines(judged.value))
  return EXIT_OF_KAYENTA[judged.value.verdict]
}

const EXIT_OF_VERDICT: Record<Verdict, number> = {
  'not-worse': EXIT_CODE.promoted,
  worse: EXIT_CODE.rolled_back,
  watching: EXIT_CODE.waiting,
  'no-data': EXIT_CODE.noData,
}

const EXIT_OF_KAYENTA: Record<KayentaVerdict, number> = {
  Pass: EXIT_CODE.promoted,
  Marginal: EXIT_CODE.waiting,
  Fail: EXIT_CODE.rolled_back,
}
