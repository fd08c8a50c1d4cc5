using System.Collections.Concurrent;
using System.Text.Json;
using LoggingService.Files;

namespace LoggingService.RoomLogs;

/// <summary>What the service keeps of a room next to its log, in <c>room.json</c>.</summary>
/// <param name="NoticeTs">When the notice that the room is logged was sent, in milliseconds since 1970; <c>null</c> if it was not.</param>
/// <param name="MaxLifetime">The room's own retention in milliseconds; 0 if it has none; <c>null</c> if that is not known yet.</param>
/// <param name="HasNotLogged">The room's log has events that were not logged at their senders' wish.</param>
/// <param name="Wishes">The content of the state event with the room's wishes; missing if there is none.</param>
internal sealed record RoomFile(long? NoticeTs, long? MaxLifetime, bool HasNotLogged, RawJson Wishes)
{
    /// <summary>The <c>origin_server_ts</c> of the event with the wishes: older ones that are fetched don't replace it.</summary>
    public long? WishesTs { get; init; }

    /// <summary>The <c>origin_server_ts</c> of the event with the retention.</summary>
    public long? MaxLifetimeTs { get; init; }

    /// <summary>Who may do anything in the room, and who may set its topic, as far as its log said (<c>TopicSetters</c>).</summary>
    public RawJson Creators { get; init; }

    /// <inheritdoc cref="Creators"/>
    public RawJson TopicSetters { get; init; }

    /// <summary>Who could read the room's history, by the day of the record that said so, as far as that was kept.</summary>
    public IReadOnlyList<HistoryVisibility> Visibility { get; init; } = [];

    /// <summary><see cref="Visibility"/> has what all days have said.</summary>
    public bool HasAllVisibility { get; init; }

    /// <summary>The moderators want the room to be left out of public pages.</summary>
    public bool IsRefused { get; init; }

    /// <summary>When they said so, or the contrary, by <see cref="KeptVisibility.RobotsTime"/>.</summary>
    public long? RobotsTs { get; init; }

    /// <summary>It decides about events that are yet to come, also after the last day of the log was removed.</summary>
    public bool IsStillNeeded => MaxLifetime > 0 || (Wishes.Kind == JsonValueKind.Object && !Wishes.IsEmptyObject);

    /// <summary>Reads the file in a room's folder; without one, or if it is damaged, nothing is known.</summary>
    /// <exception cref="IOException">The file can't be read: what it says must not be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">As before.</exception>
    public static RoomFile Read(string folder)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(Path.Combine(folder, RoomFolder.Properties));
        }
        catch (IOException e) when (e is FileNotFoundException or DirectoryNotFoundException || File.Exists(folder))
        {
            // There is no such file, also where a file is in place of the folder.
            return new(null, null, false, default);
        }

        return RawJson.TryParse(bytes, out var json, out _)
            ? new(
                json["notice_ts"u8].AsInteger(), json["max_lifetime"u8].AsInteger(), json["has_not_logged"u8].AsBoolean() == true,
                json["wishes"u8])
            {
                WishesTs = json["wishes_ts"u8].AsInteger(),
                MaxLifetimeTs = json["max_lifetime_ts"u8].AsInteger(),
                Creators = json["creators"u8],
                TopicSetters = json["topic_setters"u8],
                Visibility = HistoryVisibility.ReadAll(json["history_visibility"u8]),
                HasAllVisibility = json["history_visibility_complete"u8].AsBoolean() == true,
                IsRefused = json["robots_refused"u8].AsBoolean() == true,
                RobotsTs = json["robots_ts"u8].AsInteger(),
            }
            : new(null, null, false, default);
    }

    /// <summary>As <see cref="Read"/>; <c>null</c> if the file can't be read.</summary>
    public static RoomFile? TryRead(string folder)
    {
        try
        {
            return Read(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes the file, durably.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Write(string folder) =>
        AtomicFile.Replace(Path.Combine(folder, RoomFolder.Properties), Posix.LogFileMode, Write);

    private void Write(FileStream output)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        if (NoticeTs is { } time)
        {
            json.WriteNumber("notice_ts", time);
        }

        if (MaxLifetime is { } lifetime)
        {
            json.WriteNumber("max_lifetime", lifetime);
        }

        WriteTrue("has_not_logged", HasNotLogged);
        WriteJson("wishes", Wishes);
        if (WishesTs is { } wishesTs)
        {
            json.WriteNumber("wishes_ts", wishesTs);
        }

        if (MaxLifetimeTs is { } lifetimeTs)
        {
            json.WriteNumber("max_lifetime_ts", lifetimeTs);
        }

        WriteJson("creators", Creators);
        WriteJson("topic_setters", TopicSetters);
        if (Visibility.Count > 0)
        {
            json.WriteStartArray("history_visibility");
            foreach (var change in Visibility)
            {
                change.Write(json);
            }

            json.WriteEndArray();
        }

        WriteTrue("history_visibility_complete", HasAllVisibility);
        WriteTrue("robots_refused", IsRefused);
        if (RobotsTs is { } robotsTs)
        {
            json.WriteNumber("robots_ts", robotsTs);
        }

        json.WriteEndObject();

        void WriteTrue(string name, bool value)
        {
            if (value)
            {
                json.WriteBoolean(name, true);
            }
        }

        void WriteJson(string name, RawJson value)
        {
            if (value.Kind is JsonValueKind.Object or JsonValueKind.Array)
            {
                json.WritePropertyName(name);

                // It was checked, and may be deeper than the writer allows.
                json.WriteRawValue(value.Bytes.Span, skipInputValidation: true);
            }
        }
    }
}

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
            _files.TryRemove(folder, out _);
            _unwritten.TryRemove(folder, out _);
        }
    }

    /// <summary>Replaces a room's file, durably, unless the change returns what is written already.</summary>
    /// <exception cref="IOException">
    /// The file can't be read, or its folder not be created, and nothing changes; or it can't be written, and the change is in effect until
    /// the service stops.
    /// </exception>
    public void Update(string roomId, Func<RoomFile, RoomFile> change) => UpdateByFolder(FolderName.ForRoom(roomId), change);

    /// <inheritdoc cref="Update"/>
    public void UpdateByFolder(string folder, Func<RoomFile, RoomFile> change)
    {
        lock (LockOf(folder))
        {
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
