import { createCommandNotifier } from '../adapters/notifiers/command/command.ts'
import { createWebhookNotifier } from '../adapters/notifiers/webhook/webhook.ts'
import type { NotifyChannel } from '../core/release/settings.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed } from '../core/shared/result.ts'
import type { Notifier } from '../ports/notifier.ts'

/** Notifiers by channel (`shop.local/ops`), made from the configuration of what was deployed last. */
export type NotifierRegistry = {
  readonly byChannel: Readonly<Record<string, Notifier>>
  learn(state: ServiceState): void
}

export function createNotifierRegistry(secretOf: (name: string) => string | null): NotifierRegistry {
  const byChannel: Record<string, Notifier> = {}
  return {
    byChannel,
    learn: ({ stream, rollout, settings }) => {
      for (const channel of (rollout?.settings ?? settings)?.notify ?? [])
        byChannel[`${stream}/${channel.name}`] = lateNotifier(channel, secretOf)
    },
  }
}

/** Made anew for each message, so that a secret that comes late or is rotated counts from the next attempt on. */
const lateNotifier = (channel: NotifyChannel, secretOf: (name: string) => string | null): Notifier => ({
  kind: channel.kind,
  send: async (message, key) => {
    const notifier = makeNotifier(channel, secretOf)
    return notifier.kind === 'ok'
      ? notifier.value.send(message, key)
      : failed({ ...notifier.problem, retryable: true })
  },
})

/** What would keep a channel from being heard of, in one sentence each. */
export function channelWarnings(
  channels: readonly NotifyChannel[],
  secretOf: (name: string) => string | null,
): string[] {
  return channels.flatMap((channel) => {
    const notifier = makeNotifier(channel, secretOf)
    return notifier.kind === 'ok' ? [] : [`${notifier.problem.message} ${notifier.problem.remedy}`]
  })
}

function makeNotifier(channel: NotifyChannel, secretOf: (name: string) => string | null): Result<Notifier> {
  if (channel.kind === 'command') return createCommandNotifier({ command: channel.command })
  const secret = secretOf(channel.secret)
  if (secret !== null) return createWebhookNotifier({ url: channel.url, secret })
  return failed(
    problem('SECRET_MISSING', {
      message: `The secret ${channel.secret} of channel ${channel.name} is not set.`,
      remedy: `Put ${channel.secret}=whsec_... into .sluice/secrets.env (mode 0600) or the environment of "sluice up".`,
    }),
  )
}
