import { useEffect } from 'react'
import type { StateMark, Tone } from '../format/state.ts'

const COLOUR: Record<Tone, string> = {
  accent: '#2f6fed',
  good: '#1f9d55',
  warn: '#d08700',
  bad: '#dc3131',
  quiet: '#7a7d87',
}

/** A shape besides the colour, drawn large enough for a tab. */
const SHAPE: Record<Tone, string> = {
  accent: '<path d="M12 9l11 7-11 7z" fill="#fff"/>',
  good: '<path d="M9 16.5l5 5 9-10" fill="none" stroke="#fff" stroke-width="3.5"/>',
  warn: '<path d="M12 9v14M20 9v14" stroke="#fff" stroke-width="4"/>',
  bad: '<path d="M10 10l12 12M22 10L10 22" stroke="#fff" stroke-width="4"/>',
  quiet: '<path d="M9 16h14" stroke="#fff" stroke-width="4"/>',
}

/** Title and icon of the tab follow the state, so that a tab in the background tells it. */
export function useTab(title: string, mark: StateMark | null): void {
  const tone = mark?.tone ?? 'quiet'
  useEffect(() => {
    document.title = title === '' ? 'Sluice' : `${title} · Sluice`
  }, [title])
  useEffect(() => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="${COLOUR[tone]}"/>${SHAPE[tone]}</svg>`
    document
      .querySelector('link[rel="icon"]')
      ?.setAttribute('href', `data:image/svg+xml,${encodeURIComponent(svg)}`)
  }, [tone])
}
