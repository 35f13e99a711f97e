import type { Mutant } from './catalogue.ts'
import type { oneSeed } from './one-seed.ts'
import { installOverlay, mutantUrl } from './overlay.ts'

const LINES_AFTER = 5

/** What a mutant does in one seed, line by line up to what gives it away. */
export async function showMutant({ name, patch, mutated }: Mutant, seed: number): Promise<void> {
  if ('why' in mutated) throw new Error(`${name} does not fit ${patch.file}: ${mutated.why}`)
  installOverlay()
  const { file, store } = patch
  const url = mutantUrl(new URL('./one-seed.ts', import.meta.url), { name, file, source: mutated.source })
  const loaded: { oneSeed: typeof oneSeed } = await import(url)
  const { failure, moves, trace } = await loaded.oneSeed({ seed, store, trace: true })
  for (const move of moves) console.log(move)
  const end = trace.findIndex((line) => line.includes('VIOLATION'))
  for (const line of end < 0 ? trace : trace.slice(0, end + LINES_AFTER)) console.log(line)
  console.log(`${name} (${patch.title}), seed ${seed}: ${failure ?? 'holds'}`)
}
