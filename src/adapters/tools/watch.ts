/**
 * Looks again after a pause for as long as something is left to look at, one look at a time. It keeps no process alive.
 *
 * @example new Watch(200, async () => (await lookAround()) === 'more').start()
 */
export class Watch {
  private readonly everyMs: number
  private readonly look: () => Promise<boolean>
  private timer: NodeJS.Timeout | null = null
  private looking: Promise<void> | null = null
  private isClosed = false

  /** `look` answers whether something is left, and never rejects. */
  constructor(everyMs: number, look: () => Promise<boolean>) {
    this.everyMs = everyMs
    this.look = look
  }

  /** Repeatable. Nothing happens after `close`. */
  start(): void {
    if (this.isClosed || this.timer !== null) return
    this.timer = setTimeout(() => {
      this.looking = this.lookOnce()
    }, this.everyMs).unref()
  }

  /** Until the next `start`. Resolves once no look is under way; not to be awaited inside of a look. */
  async rest(): Promise<void> {
    await this.looking
    clearTimeout(this.timer ?? undefined)
    this.timer = null
  }

  async close(): Promise<void> {
    this.isClosed = true
    await this.rest()
  }

  private async lookOnce(): Promise<void> {
    const isLeft = await this.look()
    this.timer = null
    if (isLeft) this.start()
  }
}
