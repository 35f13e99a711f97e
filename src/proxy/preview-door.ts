import { isDeepStrictEqual } from 'node:util'
import type { ListenAddress } from '../core/shared/listen-address.ts'
import { type Problem, problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import type { RouterState } from '../core/shared/router-state.ts'
import { LISTEN_RETRY_MS } from './limits.ts'
import type { Listener } from './listener.ts'

type Open = (address: ListenAddress) => Promise<Result<Listener>>

/**
 * The preview address of one service. It opens beside everything else, is tried again while its port is taken, and its
 * trouble is told and nothing more: live traffic never waits for it.
 */
export class PreviewDoor {
  private wanted: ListenAddress | null = null
  private listener: Listener | null = null
  private problem: Problem | null = null
  private timer: NodeJS.Timeout | undefined
  private readonly open: Open

  constructor(open: Open) {
    this.open = open
  }

  /** Listens there from now on, or nowhere. */
  settle(address: ListenAddress | null): void {
    if (isDeepStrictEqual(address, this.wanted)) return
    this.close().catch(() => undefined)
    this.wanted = address
    if (address !== null) void this.attempt(address)
  }

  get state(): RouterState['preview'] {
    if (this.wanted === null) return undefined
    return { listening: this.listener?.address ?? null, problem: this.problem }
  }

  /** Where previews are served; `null` while it is not open. */
  get door(): Listener | null {
    return this.listener
  }

  /** Resolves when the last connection is gone. */
  close(): Promise<void> {
    const old = this.listener
    clearTimeout(this.timer)
    this.wanted = null
    this.listener = null
    this.problem = null
    return old?.close() ?? Promise.resolve()
  }

  /** Ends everything at once. */
  destroy(): void {
    const old = this.listener
    this.close().catch(() => undefined)
    old?.destroy()
  }

  private async attempt(address: ListenAddress): Promise<void> {
    const opened = await this.open(address)
    if (this.wanted !== address) {
      if (opened.kind === 'ok') opened.value.close().catch(() => undefined)
      return
    }
    if (opened.kind === 'ok') {
      this.listener = opened.value
      this.problem = null
      return
    }
    this.problem = previewFailed(address, opened.problem)
    this.timer = setTimeout(() => void this.attempt(address), LISTEN_RETRY_MS).unref()
  }
}

const previewFailed = ({ host, port }: ListenAddress, { message }: Problem): Problem =>
  problem('PREVIEW_LISTEN_FAILED', {
    message: `The preview address ${host}:${port} cannot be opened; live traffic is not touched.`,
    cause: message,
    remedy: `Stop the program that uses port ${port}, or write another address under "preview". It is tried again by itself.`,
    retryable: true,
  })
