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

    /// <summary>It decides about events that are yet to come, also after the last day of the log was removed.</summary>
    public bool IsStillNeeded => MaxLifetime > 0 || (Wishes.Kind == JsonValueKind.Object && !Wishes.IsEmptyObject);

    /// <summary>Reads the file in a room's folder; without one, nothing is known.</summary>
    public static RoomFile Read(string folder)
    {
        try
        {
            var path = Path.Combine(folder, RoomFolder.Properties);
            return File.Exists(path) && RawJson.TryParse(File.ReadAllBytes(path), out var json, out _)
                ? new(
                    json["notice_ts"u8].AsInteger(), json["max_lifetime"u8].AsInteger(), json["has_not_logged"u8].AsBoolean() == true,
                    json["wishes"u8])
                {
                    WishesTs = json["wishes_ts"u8].AsInteger(),
                    MaxLifetimeTs = json["max_lifetime_ts"u8].AsInteger(),
                    Creators = json["creators"u8],
                    TopicSetters = json["topic_setters"u8],
                }
                : new(null, null, false, default);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(null, null, false, default);
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

        if (HasNotLogged)
        {
            json.WriteBoolean("has_not_logged", true);
        }

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
        json.WriteEndObject();

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
    private readonly Lock _lock = new();

    public RoomFile Get(string roomId) => GetByFolder(_folders.GetOrAdd(roomId, FolderName.ForRoom));

    /// <param name="folder">The name of the room's folder.</param>
    public RoomFile GetByFolder(string folder) =>
        _files.TryGetValue(folder, out var file) ? file : _files.GetOrAdd(folder, RoomFile.Read(Path.Combine(logs.Root, folder)));

    /// <summary>Forgets what is known of a room, except that it got its notice, which it must not get again.</summary>
    /// <param name="folder">The name of the room's folder.</param>
    /// <exception cref="IOException">The file can't be removed or written.</exception>
    public void KeepNoticeOnly(string folder)
    {
        lock (_lock)
        {
            if (GetByFolder(folder).NoticeTs is { } sentAt)
            {
                UpdateByFolder(folder, _ => new(sentAt, null, false, default));
                return;
            }

            File.Delete(Path.Combine(logs.Root, folder, RoomFolder.Properties));
            _files.TryRemove(folder, out _);
        }
    }

    /// <summary>Replaces a room's file, durably.</summary>
    /// <exception cref="IOException">The file can't be written; the change is in effect until the service stops.</exception>
    public void Update(string roomId, Func<RoomFile, RoomFile> change) => UpdateByFolder(FolderName.ForRoom(roomId), change);

    /// <inheritdoc cref="Update"/>
    public void UpdateByFolder(string folder, Func<RoomFile, RoomFile> change)
    {
        lock (_lock)
        {
            var file = change(GetByFolder(folder));
            _files[folder] = file;
            Posix.CreateFolder(Path.Combine(logs.Root, folder));
            file.Write(Path.Combine(logs.Root, folder));
        }
    }
}
