import { createCommandNotifier } from '../adapters/notifiers/command/command.ts'
import { createWebhookNotifier } from '../adapters/notifiers/webhook/webhook.ts'
import type { NotifyChannel } from '../core/release/settings.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed } from '../core/shared/result.ts'
import type { Log } from '../ports/log.ts'
import type { Notifier } from '../ports/notifier.ts'

/** Notifiers by channel (`shop.local/ops`), made from the configuration of what was deployed last. */
export type NotifierRegistry = {
  readonly byChannel: Readonly<Record<string, Notifier>>
  learn(state: ServiceState): void
}

export function createNotifierRegistry({
  secretOf,
  log,
}: {
  secretOf(name: string): string | null
  log: Log
}): NotifierRegistry {
  const byChannel: Record<string, Notifier> = {}
  const made = new Map<string, string>()
  return {
    byChannel,
    learn: ({ stream, rollout, settings }) => {
      for (const channel of (rollout?.settings ?? settings)?.notify ?? []) {
        const name = `${stream}/${channel.name}`
        const definition = JSON.stringify(channel)
        if (made.get(name) === definition) continue
        const notifier = makeNotifier(channel, secretOf)
        made.set(name, definition)
        if (notifier.kind === 'ok') byChannel[name] = notifier.value
        else log.error('notification channel cannot be used', { channel: name, problem: notifier.problem })
      }
    },
  }
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
