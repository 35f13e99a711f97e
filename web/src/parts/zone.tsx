import { createContext, type ReactNode, useContext, useState } from 'react'
import { formatBothZones, formatMoment, formatOffset, type Zone } from '../format/moment.ts'

type ZoneChoice = { zone: Zone; choose(zone: Zone): void }

const ZoneContext = createContext<ZoneChoice>({ zone: 'local', choose: () => {} })

export const useZone = (): Zone => useContext(ZoneContext).zone

export function ZoneProvider({ children }: { children: ReactNode }) {
  const [zone, choose] = useState<Zone>('local')
  return <ZoneContext value={{ zone, choose }}>{children}</ZoneContext>
}

/** Switches all times on the page. */
export function ZoneSwitch() {
  const { zone, choose } = useContext(ZoneContext)
  const other = zone === 'local' ? 'utc' : 'local'
  const label = zone === 'utc' ? 'UTC' : formatOffset(Date.now())
  return (
    <button type="button" className="button-quiet" onClick={() => choose(other)}>
      <span className="visually-hidden">Times are shown in </span>
      {label}
      <span className="visually-hidden">. Switch to {other === 'utc' ? 'UTC' : 'local time'}.</span>
    </button>
  )
}

/** A time in the chosen zone; the title names it in both. */
export function Moment({ at }: { at: number }) {
  const zone = useZone()
  return (
    <time dateTime={new Date(at).toISOString()} title={formatBothZones(at)}>
      {formatMoment(at, zone, Date.now())}
    </time>
  )
}
