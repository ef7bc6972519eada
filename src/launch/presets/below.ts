/** Patterns of one cache that hold in a sub-directory of another: vLLM keeps whole Inductor caches inside its own. */
export function below(directory: string, patterns: readonly string[]): string[] {
  return patterns.map((pattern) => `${directory}/${pattern}`)
}
