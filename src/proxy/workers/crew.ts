import type { Companions } from '../handover/leave.ts'
import { Post, type PostParts } from './post.ts'
import { WorkerRecords } from './records.ts'

type CrewParts = Omit<PostParts, 'records' | 'launch'> & {
  /** Processes that shall serve together, the one that leads included. */
  size: number
}

/** The workers of the process that leads, which serves like each of them: they share its sockets and follow its table. */
export class Crew implements Companions {
  private readonly posts: readonly Post[]

  constructor({ size, ...parts }: CrewParts) {
    const records = new WorkerRecords(parts.folder)
    this.posts = Array.from({ length: size - 1 }, () => new Post({ ...parts, records }))
  }

  start(): void {
    for (const post of this.posts) post.fill()
  }

  /** Of workers that serve. */
  get pids(): number[] {
    return this.posts.flatMap(({ pid }) => pid ?? [])
  }

  /** Bugs that workers met and survived. */
  get bugs(): number {
    return this.posts.reduce((sum, { bugs }) => sum + bugs, 0)
  }

  sweep(): void {
    for (const post of this.posts) post.lend()
  }

  /** Other processes serve from now on. Resolves when the last worker is gone. */
  async farewell(): Promise<void> {
    await Promise.all(this.posts.map((post) => post.leave('farewell')))
  }

  /** The service ends as a whole. Resolves when the last worker is gone. */
  async stop(): Promise<void> {
    await Promise.all(this.posts.map((post) => post.leave('stop')))
  }

  /** Silent connections are not waited for any more. */
  hurry(): void {
    for (const post of this.posts) post.hurry()
  }

  async kill(): Promise<void> {
    await Promise.all(this.posts.map((post) => post.kill()))
  }
}
