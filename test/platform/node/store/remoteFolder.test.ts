import assert from 'node:assert/strict';
import { isMountedFromElsewhere } from '../../../../src/platform/node/store/remoteFolder.ts';

const mounted = `/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)
devfs on /dev (devfs, local, nobrowse)
/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse, protect, root data)
map auto_home on /System/Volumes/Data/home (autofs, automounted, nobrowse)
//dev@nas.local/share on /Volumes/share (smbfs, nodev, nosuid, mounted by dev)
nas:/export/data on /Volumes/nfs on (old) nas (nfs, nodev, nosuid, automounted)
/dev/disk5s1 on /Volumes/share/stick (msdos, local, nodev, nosuid, noowners)
/dev/disk6s1 on /Volumes/swapped (hfs, local, nodev)
//dev@nas.local/other on /Volumes/swapped (smbfs, nodev, nosuid, mounted by dev)
`;

describe('a folder on macOS', () => {
	for (const [directory, isRemote] of [
		['/', false],
		['/Users/dev/Library/Application Support/crosstalk', false],
		['/System/Volumes/Data/Users/dev', false],
		['/Volumes/share', true],
		['/Volumes/share/deep/below', true],
		['/Volumes/shared', false],
		['/Volumes/share/stick/store', false],
		['/Volumes/nfs on (old) nas/store', true],
		['/Volumes/swapped/store', true],
	] as const) {
		it(`${directory} is ${isRemote ? 'on another machine' : 'on this one'}`, () => {
			assert.equal(isMountedFromElsewhere(mounted, directory), isRemote);
		});
	}

	it('is taken for one of this machine where nothing is told of it', () => {
		assert.equal(isMountedFromElsewhere('', '/Users/dev'), false);
		assert.equal(isMountedFromElsewhere('nothing that we know\n', '/Users/dev'), false);
	});
});
