import { useSyncExternalStore } from 'react'

const dark = window.matchMedia('(prefers-color-scheme: dark)')

/** Light or dark, as the system says. */
export const useScheme = (): 'dark' | 'light' =>
  useSyncExternalStore(subscribe, () => (dark.matches ? 'dark' : 'light'))

function subscribe(changed: () => void): () => void {
  dark.addEventListener('change', changed)
  return () => dark.removeEventListener('change', changed)
}
