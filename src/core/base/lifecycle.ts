/** Something that holds a resource until told otherwise. `vscode.Disposable` already has this shape. */
export interface Disposable {
	dispose(): void;
}

/** Collects what one owner has created. An item that is added after the store was disposed is disposed at once. */
export class DisposableStore implements Disposable {
	private readonly items = new Set<Disposable>();
	private isDisposed = false;

	add<T extends Disposable>(item: T): T {
		if (this.isDisposed) item.dispose();
		else this.items.add(item);
		return item;
	}

	dispose(): void {
		if (this.isDisposed) return;
		this.isDisposed = true;
		for (const item of this.items) item.dispose();
		this.items.clear();
	}
}
