import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Panel } from '../chart/panel.js'
import { drawChart } from '../chart.js'
import { isQuick, isSaving } from '../measure.js'

const folder = fileURLToPath(new URL('../results/', import.meta.url))

/** Writes what was measured as a picture into bench/results, where that is wanted. */
export function saveChart(benchmark: string, title: string, panels: readonly Panel[]): void {
  if (!isSaving) return
  const { versions } = process
  const [major] = versions.node.split('.')
  const machine = `${cpus()[0]?.model ?? process.arch}, ${cpus().length} cores`
  const date = new Date().toISOString().slice(0, 10)
  const description = `Node ${versions.node}, ${machine}, ${date}${isQuick ? '. A quick run: its figures decide nothing' : ''}`
  const svg = drawChart({ title, description, panels })
  mkdirSync(folder, { recursive: true })
  // A quick run is not to take the place of a real one.
  const path = `${folder}${benchmark}-node-${major}${isQuick ? '-quick' : ''}.svg`
  writeFileSync(path, svg)
  console.log(`\nThe chart is in ${path}`)
}
