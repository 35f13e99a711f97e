import { type ReactNode, useId } from 'react'

type PanelProps = { title: string; aside?: ReactNode; className?: string; children: ReactNode }

/** A titled part of a page. */
export function Panel({ title, aside, className = '', children }: PanelProps) {
  const id = useId()
  return (
    <section className={`panel ${className}`} aria-labelledby={id}>
      <header className="panel-head">
        <h2 id={id}>{title}</h2>
        {aside === undefined ? null : <div className="panel-aside">{aside}</div>}
      </header>
      {children}
    </section>
  )
}
