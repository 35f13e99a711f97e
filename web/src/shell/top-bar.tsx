import type { ReactNode } from 'react'
import { Link } from 'wouter'
import { ZoneSwitch } from '../parts/zone.tsx'
import { LiveMarker } from './live-marker.tsx'

/** Where you are, and whether what you see is fresh. */
export function TopBar({ children }: { children?: ReactNode }) {
  return (
    <header className="top-bar">
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link href="/" className="brand">
          <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
            <path d="M2.5 2v14M15.5 2v14M6 5.5h6M6 9h6M6 12.5h6" />
          </svg>
          Sluice
        </Link>
        {children}
      </nav>
      <div className="top-bar-end">
        <LiveMarker />
        <ZoneSwitch />
      </div>
    </header>
  )
}

export function Crumb({ children }: { children: ReactNode }) {
  return (
    <span className="crumb">
      <span className="crumb-slash" aria-hidden="true">
        /
      </span>
      {children}
    </span>
  )
}
