using System.Collections.Concurrent;
using System.Text.Json;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Consent;

/// <summary>What the service keeps of a room next to its log, in <c>room.json</c>.</summary>
/// <param name="NoticeTs">When the room was told that it is logged, in milliseconds since 1970; <c>null</c> if it was not.</param>
/// <param name="Wishes">The content of the state event with the room's wishes that are in effect; missing if there is none.</param>
internal sealed record RoomFile(long? NoticeTs, RawJson Wishes);

/// <summary>The files <c>room.json</c>. They outlive the days of the log that say the same, until the folder of the room is removed.</summary>
internal sealed class RoomFiles(LogDirectory logs)
{
    private readonly ConcurrentDictionary<string, RoomFile> _files = new();
    private readonly Lock _lock = new();

    public RoomFile Get(string roomId) => _files.TryGetValue(roomId, out var file) ? file : _files.GetOrAdd(roomId, Read(PathOf(roomId)));

    /// <summary>Replaces the file, durably.</summary>
    /// <exception cref="IOException">The file can't be written; the change is in effect until the service stops.</exception>
    public void Update(string roomId, Func<RoomFile, RoomFile> change)
    {
        lock (_lock)
        {
            var file = change(Get(roomId));
            _files[roomId] = file;
            AtomicFile.Replace(PathOf(roomId), Posix.LogFileMode, output => Write(file, output));
        }
    }

    private string PathOf(string roomId) => Path.Combine(logs.Root, FolderName.ForRoom(roomId), RoomFolder.Properties);

    private static RoomFile Read(string path)
    {
        try
        {
            return File.Exists(path) && RawJson.TryParse(File.ReadAllBytes(path), out var json, out _)
                ? new(json["notice_ts"u8].AsInteger(), json["wishes"u8])
                : new(null, default);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(null, default);
        }
    }

    private static void Write(RoomFile file, FileStream output)
    {
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        if (file.NoticeTs is { } time)
        {
            json.WriteNumber("notice_ts", time);
        }

        if (file.Wishes.Kind == JsonValueKind.Object)
        {
            json.WritePropertyName("wishes");
            json.WriteRawValue(file.Wishes.Bytes.Span);
        }

        json.WriteEndObject();
    }
}
