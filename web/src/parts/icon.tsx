import type { Glyph } from '../format/state.ts'

const PATHS: Record<Glyph, string> = {
  play: 'M5.5 3.5 12 8l-6.5 4.5z',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  clock: 'M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z',
  eye: 'M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  back: 'M6 3 2.5 6.5 6 10M3 6.5h6a4 4 0 0 1 0 8H7',
  check: 'M3 8.5 6.5 12 13 4.5',
  cross: 'M4 4l8 8M12 4l-8 8',
  alert: 'M8 5.5v3.2M8 11.2v.1M7.1 2.6 1.6 12a1 1 0 0 0 .9 1.5h11a1 1 0 0 0 .9-1.5L8.9 2.6a1 1 0 0 0-1.8 0z',
  minus: 'M4 8h8',
  dot: 'M8 9.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3z',
}

/** Says by shape what the colour says; the word beside it says it to everybody else. */
export function Icon({ glyph, size = 14 }: { glyph: Glyph; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <path d={PATHS[glyph]} />
    </svg>
  )
}
