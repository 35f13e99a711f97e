import * as z from 'zod'
import type { SetState } from '../core/rollout/state.ts'
import { Finding } from '../core/shared/finding.ts'
import type { Problem } from '../core/shared/problem.ts'
import { ok } from '../core/shared/result.ts'
import type { ShownCertificate } from '../core/shared/router-state.ts'
import type { OperationContext } from './context.ts'
import { operationOf } from './context.ts'
import { ofTarget } from './ground.ts'
import { ofProxy } from './upgrade-router.ts'

export const diagnose = operationOf({
  name: 'diagnose',
  summary: 'What the controller finds wrong with its parts, its services and its messages.',
  input: z.strictObject({}),
  output: z.object({ findings: z.array(Finding) }),
  permission: 'read',
  run: async (context) => {
    const streams = await context.store.streams()
    if (streams.kind === 'failed') return streams
    const ofStreams = await Promise.all(streams.value.map((stream) => findingsOf(context, stream)))
    return ok({
      findings: [
        ...ofStreams.flat(),
        ...(await ofProxy(context.proxy)),
        ...(await ofTarget(context)),
        ...(await deadMessages(context)),
      ],
    })
  },
})

async function findingsOf(context: OperationContext, stream: string): Promise<Finding[]> {
  const loaded = await context.engine.load(stream)
  if (loaded.kind === 'failed') return [asFinding(loaded.problem)]
  const { state } = loaded.value
  const seen = await context.target.observe(stream)
  const known = new Set(state.sets.map(({ release }) => release))
  const orphans =
    seen.kind === 'ok'
      ? seen.value.instances.filter(
          ({ release, state: phase }) => !known.has(release) && phase !== 'gone' && phase !== 'stopping',
        )
      : []
  const findings: Finding[] = [
    ...(seen.kind === 'failed' ? [asFinding(seen.problem)] : []),
    ...Object.values(state.troubles).map(asFinding),
    ...state.sets.flatMap(leftOut),
  ]
  for (const { id, release, pid } of orphans)
    findings.push({
      level: 'problem',
      code: 'INSTANCE_ORPHANED',
      message: `Instance ${id} (pid ${pid ?? 'unknown'}) of release ${release} runs, but no rollout and no stable of ${stream} wants it.`,
      remedy: `Stop it: kill ${pid ?? ''}`.trim(),
    })
  const certificate = context.viewOf(stream, loaded.value).certificate
  if (certificate !== undefined && certificate.problem === null)
    findings.push(certificateFinding(stream, certificate))
  if (findings.some(({ level }) => level !== 'ok')) return findings
  return [
    ...findings,
    {
      level: 'ok',
      code: 'SERVICE_OK',
      message: `${stream}: ${state.stable === null ? 'no stable release' : `${state.stable.version} is stable`}.`,
      remedy: null,
    },
  ]
}

/** Instances that are healthy by their checks and fail what users ask of them. */
const leftOut = ({ version, instances }: SetState): Finding[] =>
  instances.flatMap(({ id, ejected }) =>
    ejected === undefined
      ? []
      : [
          {
            level: 'warning',
            code: 'INSTANCE_EJECTED',
            message: `Instance ${id} of ${version} gets no new requests since ${momentText(ejected.since)}: ${ejected.why}.`,
            remedy: `Look at its log ("sluice logs"). It is tried again by itself at ${momentText(ejected.until)}; three answers bring it back.`,
          },
        ],
  )

/** In UTC, as everywhere on the terminal. */
const momentText = (at: number): string => `${new Date(at).toISOString().slice(11, 19)} UTC`

const certificateFinding = (stream: string, { names, validUntil }: ShownCertificate): Finding => ({
  level: 'ok',
  code: 'CERTIFICATE_OK',
  message: `${stream}: the certificate for ${names.join(', ')} is good until ${new Date(validUntil).toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
  remedy: null,
})

async function deadMessages({ store }: OperationContext): Promise<Finding[]> {
  const messages = await store.listMessages(500)
  const dead = messages.kind === 'ok' ? messages.value.filter(({ state }) => state === 'dead') : []
  if (dead.length === 0) return []
  return [
    {
      level: 'warning',
      code: 'MESSAGES_DEAD',
      message: `${dead.length} notifications could not be delivered and were given up.`,
      remedy: 'See "sluice outbox" for the channel and the error.',
    },
  ]
}

/** What ends soon works until then. */
const asFinding = ({ code, message, remedy }: Problem): Finding => ({
  level: code === 'CERTIFICATE_EXPIRING' ? 'warning' : 'problem',
  code,
  message,
  remedy,
})
