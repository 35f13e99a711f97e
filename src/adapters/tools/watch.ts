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
  private isAskedAgain = false
  private isClosed = false

  /** `look` answers whether something is left, and never rejects. */
  constructor(everyMs: number, look: () => Promise<boolean>) {
    this.everyMs = everyMs
    this.look = look
  }

  /** Repeatable. A look that is under way may have missed why: then there is another one. Nothing happens after `close`. */
  start(): void {
    if (this.looking !== null) this.isAskedAgain = true
    if (this.isClosed || this.timer !== null || this.looking !== null) return
    this.timer = setTimeout(() => {
      this.timer = null
      this.looking = this.lookOnce()
    }, this.everyMs).unref()
  }

  /** Resolves once no look is under way; not to be awaited inside of a look. */
  async close(): Promise<void> {
    this.isClosed = true
    clearTimeout(this.timer ?? undefined)
    await this.looking
  }

  private async lookOnce(): Promise<void> {
    this.isAskedAgain = false
    const isLeft = await this.look()
    this.looking = null
    if (isLeft || this.isAskedAgain) this.start()
  }
}
