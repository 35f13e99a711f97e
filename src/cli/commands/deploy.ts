import * as z from 'zod'
import { Plan } from '../../core/plan/plan.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { ServiceView } from '../../core/rollout/view.ts'
import { problem } from '../../core/shared/problem.ts'
import { reasonInput } from '../action.ts'
import { DeployAnswer } from '../answers.ts'
import { DurationArgument, defineCommand } from '../command.ts'
import { confirm } from '../confirm.ts'
import { type Connection, connectStarting } from '../controller/connect.ts'
import { planLines } from '../plan-text.ts'
import { addressOf, columnsOf, commandLine, type Session } from '../session.ts'
import { watchStarted } from '../watch/watch-started.ts'

const Input = z.object({
  version: z.string().exactOptional(),
  plan: z.string().exactOptional(),
  yes: z.boolean().default(false),
  watch: z.boolean().default(true),
  now: z.boolean().default(false),
  reason: z.string().exactOptional(),
  timeout: DurationArgument.exactOptional(),
})
type Input = z.infer<typeof Input>

export const command = defineCommand({
  description:
    'Shows the plan, asks, begins, and follows the rollout to its outcome, which is the exit code. Leaving with Ctrl-C changes nothing: the rollout goes on without this command.',
  arguments: [{ name: 'version', summary: 'version to deploy (not with --plan)', required: false }],
  options: [
    { flags: '--yes', summary: 'do not ask' },
    { flags: '--plan <id>', summary: 'do exactly this plan; refused when the world moved since' },
    { flags: '--no-watch', summary: 'begin and return at once' },
    { flags: '--now', summary: 'end the watch of the rollout before, if one runs' },
    { flags: '--reason <text>', summary: 'why, for the journal' },
    { flags: '--timeout <time>', summary: 'stop following after this (exit code 12; the rollout goes on)' },
  ],
  examples: ['sluice deploy 1.4.0', 'sluice deploy 1.4.0 --env production --yes --timeout 30m --json'],
  input: Input,
  run: deploy,
})

async function deploy(session: Session, input: Input): Promise<number> {
  if ((input.version === undefined) === (input.plan === undefined)) return session.fail(versionOrPlan(input))
  const connected = await connectStarting(session)
  if (connected.kind === 'failed') return session.fail(connected.problem)
  const connection = connected.value
  const agreed =
    input.version === undefined
      ? { kind: 'go' as const, plan: input.plan ?? '' }
      : await agree(session, connection, { ...input, version: input.version })
  if (agreed.kind === 'end') return agreed.code
  const order = {
    ...addressOf(session),
    plan: agreed.plan,
    ...(input.now ? { now: true } : {}),
    ...reasonInput(input.reason),
  }
  const answer = await connection.client.call('deploy', order, DeployAnswer)
  if (answer.kind === 'failed') return session.fail(answer.problem)
  return watchStarted(session, connection, {
    started: answer.value,
    watch: input.watch,
    timeoutMs: input.timeout ?? null,
  })
}

type Agreement = { kind: 'go'; plan: string } | { kind: 'end'; code: number }

/** Shows the plan and gets the person's word for exactly that plan. */
async function agree(
  session: Session,
  { client }: Connection,
  { version, yes }: Input & { version: string },
): Promise<Agreement> {
  const plan = await client.call('plan', { ...addressOf(session), version }, Plan)
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
      return { kind: 'end', code: session.fail(nobodyAsked(session, plan.value.id, version)) }
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

const nobodyAsked = (session: Session, plan: string, version: string) =>
  problem('CONFIRMATION_NEEDED', {
    message: `Deploying ${version} needs a yes, and there is no terminal to ask on.`,
    remedy: `Run \`${commandLine(`deploy --plan ${plan}`, session)}\` to do exactly this plan, or add --yes.`,
  })
