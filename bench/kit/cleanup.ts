type Cleanup = () => Promise<void>

const open = new Set<Cleanup>()
const SIGNAL_EXIT_CODE = 130

/** Remembers how to end something; the answer does it, once. An interrupted bench ends everything that is open. */
export function cleanupOf(end: Cleanup): Cleanup {
  const once = async () => {
    if (open.delete(once)) await end()
  }
  open.add(once)
  return once
}

export function cleanUpOnInterrupt(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void Promise.allSettled([...open].reverse().map((end) => end())).then(() =>
        process.exit(SIGNAL_EXIT_CODE),
      )
    })
  }
}
