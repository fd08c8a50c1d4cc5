using System.Collections.Concurrent;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>The files <c>room.json</c>. They outlive the days of the log that say the same, until the room's folder is removed.</summary>
internal sealed class RoomFiles(LogDirectory logs)
{
    private readonly ConcurrentDictionary<string, RoomFile> _files = new();

    // A transaction asks for each room of its events, and encoding an id takes about a microsecond.
    private readonly ConcurrentDictionary<string, string> _folders = new();

    /// <summary>By folder: a slow write of one room must not delay the others.</summary>
    private readonly ConcurrentDictionary<string, Lock> _locks = new();

    /// <summary>The folders whose last write failed.</summary>
    private readonly ConcurrentDictionary<string, bool> _unwritten = new();

    /// <summary>Called with the name of a room's folder when what is known of the room is forgotten, before a later change.</summary>
    public Action<string> Forgetting { private get; set; } = static _ => { };

    /// <exception cref="IOException">The file can't be read; the next call tries again.</exception>
    public RoomFile Get(string roomId) => GetByFolder(_folders.GetOrAdd(roomId, FolderName.ForRoom));

    /// <param name="folder">The name of the room's folder.</param>
    /// <inheritdoc cref="Get"/>
    public RoomFile GetByFolder(string folder)
    {
        if (_files.TryGetValue(folder, out var known))
        {
            return known;
        }

        // Without its folder, which may be on a disk that is not mounted, what the file says is not known for good.
        var path = Path.Combine(logs.Root, folder);
        var exists = Directory.Exists(path);
        var file = RoomFile.Read(path);
        return exists ? _files.GetOrAdd(folder, file) : file;
    }

    /// <summary>As <see cref="Get"/>, where one room must not stop the others; <c>null</c> if the file can't be read.</summary>
    public RoomFile? Find(string roomId) => FindByFolder(_folders.GetOrAdd(roomId, FolderName.ForRoom));

    /// <param name="folder">The name of the room's folder.</param>
    /// <inheritdoc cref="Find"/>
    public RoomFile? FindByFolder(string folder)
    {
        try
        {
            return GetByFolder(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>
    /// Forgets what an erased log said, except for what decides about events to come, that moderators keep the room off the pages, and that
    /// the room got its notice, which it must not get again. Who may read the room is not known until it is said again: of the lines that
    /// said it, any may be erased.
    /// </summary>
    /// <param name="folder">The name of the room's folder.</param>
    /// <param name="hasLines">Some of its log stays, which may have events that were not logged at their senders' wish.</param>
    /// <exception cref="IOException">The file can't be read, removed or written.</exception>
    public void ForgetErased(string folder, bool hasLines)
    {
        lock (LockOf(folder))
        {
            Forgetting(folder);
            var file = GetByFolder(folder);
            var kept = file.IsStillNeeded
                ? file with { Visibility = [], HasAllVisibility = false }
                : new(file.NoticeTs, null, hasLines && file.HasNotLogged, default)
                {
                    IsRefused = file.IsRefused,
                    RobotsTs = file.IsRefused ? file.RobotsTs : null,
                };
            if (kept.IsStillNeeded || kept.NoticeTs is not null || kept.HasNotLogged || kept.IsRefused)
            {
                UpdateByFolder(folder, _ => kept);
                return;
            }

            File.Delete(Path.Combine(logs.Root, folder, RoomFolder.Properties));
            Forget(folder);
        }
    }

    /// <summary>Forgets a room whose folder was removed.</summary>
    /// <param name="folder">The name of the room's folder.</param>
    public void Forget(string folder)
    {
        lock (LockOf(folder))
        {
            // It may have been logged again meanwhile.
            Forgetting(folder);
            _files.TryRemove(folder, out _);
            _unwritten.TryRemove(folder, out _);
        }
    }

    /// <summary>Replaces a room's file, durably, unless the change returns what is written already.</summary>
    /// <exception cref="IOException">
    /// The file can't be read, or its folder not be created, and nothing changes; or it can't be written, and the change is in effect until
    /// the service stops.
    /// </exception>
    /// <param name="isDue">Nothing changes, and no folder is created, if it returns false. <see cref="Forgetting"/> may end it.</param>
    public void Update(string roomId, Func<RoomFile, RoomFile> change, Func<bool>? isDue = null) =>
        UpdateByFolder(FolderName.ForRoom(roomId), change, isDue);

    /// <inheritdoc cref="Update"/>
    public void UpdateByFolder(string folder, Func<RoomFile, RoomFile> change, Func<bool>? isDue = null)
    {
        lock (LockOf(folder))
        {
            if (isDue?.Invoke() == false)
            {
                return;
            }

            // First: what a folder that does not exist yet has, such as one on a disk that is not mounted, must not be replaced later.
            var path = Path.Combine(logs.Root, folder);
            Posix.CreateFolder(path);
            var known = GetByFolder(folder);
            var file = change(known);
            if (ReferenceEquals(file, known) && !_unwritten.ContainsKey(folder))
            {
                return;
            }

            _files[folder] = file;
            _unwritten[folder] = true;
            file.Write(path);
            _unwritten.TryRemove(folder, out _);
        }
    }

    private Lock LockOf(string folder) => _locks.GetOrAdd(folder, static _ => new());
}
