import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { Plan } from '../../core/plan/plan.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { ServiceView } from '../../core/rollout/view/view.ts'
import { problem } from '../../core/shared/problem.ts'
import { reasonInput } from '../action.ts'
import { DeployAnswer } from '../answers.ts'
import { DurationArgument, defineCommand, MomentArgument } from '../command.ts'
import { confirm } from '../confirm.ts'
import { type Connection, connectStarting } from '../controller/connect.ts'
import { planLines } from '../plan-text.ts'
import { addressOf, columnsOf, commandLine, type Session } from '../session.ts'
import { aboutRelease } from '../source/about.ts'
import { watchStarted } from '../watch/watch-started.ts'

const Input = z.object({
  version: z.string().exactOptional(),
  plan: z.string().exactOptional(),
  yes: z.boolean().default(false),
  watch: z.boolean().default(true),
  now: z.boolean().default(false),
  retry: z.boolean().default(false),
  full: z.boolean().default(false),
  at: MomentArgument.exactOptional(),
  in: DurationArgument.exactOptional(),
  wait: z.boolean().default(true),
  notes: z.string().exactOptional(),
  commit: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  timeout: DurationArgument.exactOptional(),
})
type Input = z.infer<typeof Input>

export const command = defineCommand({
  description:
    'Shows the plan, asks, begins, and follows the rollout to its outcome, which is the exit code. Leaving with Ctrl-C changes nothing: the rollout goes on without this command.',
  arguments: [{ name: 'version', summary: 'version to deploy (not with --plan)', required: false }],
  options: [
    { flags: '--plan <id>', summary: 'do exactly this plan; refused when the world moved since' },
    { flags: '--no-watch', summary: 'begin and return at once' },
    { flags: '--now', summary: 'end the watch of the rollout before, if one runs' },
    { flags: '--retry', summary: 'try a release again that failed and is blocked, as a new attempt' },
    { flags: '--full', summary: 'straight to 100%, without stages and their checks; the watch stays' },
    {
      flags: '--at <time>',
      summary: 'begin not before this time, like 2026-11-23T09:00 (here) or ...+01:00',
    },
    { flags: '--in <time>', summary: 'begin not before this much time has gone by, like 2h' },
    {
      flags: '--no-wait',
      summary: 'refuse it outside of the windows and during a freeze, instead of waiting',
    },
    { flags: '--notes <text>', summary: 'what is new in it, or @FILE; kept with the release' },
    { flags: '--commit <sha>', summary: 'commit it was made from (default: the one checked out here)' },
    { flags: '--reason <text>', summary: 'why, for the journal' },
    { flags: '--timeout <time>', summary: 'stop following after this (exit code 12; the rollout goes on)' },
  ],
  examples: [
    'sluice deploy 1.4.0',
    'sluice deploy 1.4.0 --env production --yes --timeout 30m --json',
    'sluice deploy 1.4.0 --in 2h --yes',
  ],
  input: Input,
  run: deploy,
})

async function deploy(session: Session, input: Input): Promise<number> {
  if ((input.version === undefined) === (input.plan === undefined)) return session.fail(versionOrPlan(input))
  if (input.at !== undefined && input.in !== undefined) return session.fail(AT_OR_IN)
  const connected = await connectStarting(session)
  if (connected.kind === 'failed') return session.fail(connected.problem)
  const connection = connected.value
  const about = await aboutRelease(input, { cwd: session.io.cwd, folder: connection.project.folder })
  if (about.kind === 'failed') return session.fail(about.problem)
  const agreed =
    input.version === undefined
      ? { kind: 'go' as const, plan: input.plan ?? '' }
      : await agree(session, connection, { ...input, version: input.version })
  if (agreed.kind === 'end') return agreed.code
  const order = {
    ...addressOf(session),
    plan: agreed.plan,
    ...(input.now ? { now: true } : {}),
    ...shortcutInput(input),
    ...beginInput(input),
    ...about.value,
    ...reasonInput(input.reason),
  }
  const answer = await connection.client.call('deploy', order, DeployAnswer, randomUUID())
  if (answer.kind === 'failed') return session.fail(answer.problem)
  return watchStarted(session, connection, {
    started: answer.value,
    // Nobody sits in front of a terminal until a time that was set by the clock.
    watch: input.watch && input.at === undefined && input.in === undefined,
    timeoutMs: input.timeout ?? null,
  })
}

const shortcutInput = ({ retry, full }: Pick<Input, 'retry' | 'full'>): { retry?: true; full?: true } => ({
  ...(retry ? { retry } : {}),
  ...(full ? { full } : {}),
})

const AT_OR_IN = problem('USAGE', {
  message: '--at and --in do not go together: both say when it begins.',
  remedy: 'Keep one of the two.',
})

function beginInput({ at, in: inMs, wait }: Input): { at?: string; wait?: false } {
  const begin = at ?? (inMs === undefined ? undefined : Date.now() + inMs)
  return {
    ...(begin === undefined ? {} : { at: new Date(begin).toISOString() }),
    ...(wait ? {} : { wait: false }),
  }
}

type Agreement = { kind: 'go'; plan: string } | { kind: 'end'; code: number }

/** Shows the plan and gets the person's word for exactly that plan. */
async function agree(
  session: Session,
  { client }: Connection,
  { version, yes, retry, full }: Input & { version: string },
): Promise<Agreement> {
  const asked = { ...addressOf(session), version, ...shortcutInput({ retry, full }) }
  const plan = await client.call('plan', asked, Plan)
  if (plan.kind === 'failed') return { kind: 'end', code: session.fail(plan.problem) }
  session.value('plan', { plan: plan.value })
  session.say(planLines(plan.value, { columns: columnsOf(session) }))
  if (plan.value.kind === 'none') return { kind: 'end', code: EXIT_CODE.promoted }
  if (yes) return { kind: 'go', plan: plan.value.id }
  const view = await client.call('get_service', addressOf(session), ServiceView)
  if (view.kind === 'failed') return { kind: 'end', code: session.fail(view.problem) }
  const { service, production } = view.value
  const question = production
    ? { word: service, text: `This is production. Type ${service} to deploy ${version}: ` }
    : { word: null, text: `Deploy ${version}? [y/N] ` }
  const answer = await confirm(session, question)
  switch (answer) {
    case 'yes':
      return { kind: 'go', plan: plan.value.id }
    case 'no':
      session.note('Nothing was done.')
      return { kind: 'end', code: EXIT_CODE.refused }
    case 'nobody to ask':
      return {
        kind: 'end',
        code: session.fail(nobodyAsked(session, { plan: plan.value.id, version, retry })),
      }
  }
}

const versionOrPlan = ({ plan }: Input) =>
  problem('USAGE', {
    message:
      plan === undefined
        ? 'deploy needs a version.'
        : 'A version and --plan do not go together: the plan has its version.',
    remedy:
      'Write `sluice deploy 1.4.0`, or `sluice deploy --plan ID` with the id that `sluice plan` printed.',
  })

const nobodyAsked = (
  session: Session,
  { plan, version, retry }: { plan: string; version: string; retry: boolean },
) =>
  problem('CONFIRMATION_NEEDED', {
    message: `Deploying ${version} needs a yes, and there is no terminal to ask on.`,
    remedy: `Run \`${commandLine(`deploy --plan ${plan}${retry ? ' --retry' : ''}`, session)}\` to do exactly this plan, or add --yes.`,
  })
