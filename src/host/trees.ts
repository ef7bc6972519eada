/** Whole trees, through fs-extra: only where nothing depends on it being one step. */

/** Removes what is there; nothing there is fine. */
export async function removeTree(path: string): Promise<void> {
  const { default: fsExtra } = await import('fs-extra')
  await fsExtra.remove(path)
}
