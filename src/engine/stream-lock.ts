/** Runs tasks of one stream one after the other, tasks of different streams side by side. */
export type StreamLock = { run<T>(stream: string, task: () => Promise<T>): Promise<T> }

export function createStreamLock(): StreamLock {
  const tails = new Map<string, Promise<unknown>>()
  return {
    run: (stream, task) => {
      const before = tails.get(stream) ?? Promise.resolve()
      const mine = before.then(task, task)
      const tail = mine.catch(() => undefined)
      tails.set(stream, tail)
      void tail.then(() => tails.get(stream) === tail && tails.delete(stream))
      return mine
    },
  }
}
