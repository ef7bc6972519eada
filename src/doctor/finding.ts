/** Findings, so that what makes them reads as a list of sentences. */
import type { Finding, FindingLevel, FindingSection } from '../core/report.js'

type Make = (id: string, title: string, detail: string, advice?: string) => Finding

export function findingsOf(section: FindingSection): Record<FindingLevel, Make> {
  const make =
    (level: FindingLevel): Make =>
    (id, title, detail, advice) => ({ id, section, level, title, detail, advice: advice ?? null })
  return { ok: make('ok'), note: make('note'), warning: make('warning'), problem: make('problem') }
}
