using System.Text.Json;
using System.Text.Json.Serialization;
using LoggingService.Files;

namespace LoggingService.History;

/// <summary>
/// A backfill of a room and how far it is, in <c>logs/.history/&lt;room&gt;.json</c>, from which it is resumed. Times are milliseconds
/// since 1970.
/// </summary>
/// <param name="Since">The first day, as <c>yyyy-MM-dd</c>; <c>null</c> for the room's whole history.</param>
/// <param name="Next">Where the next page starts, for the homeserver; <c>null</c> before the first one.</param>
/// <param name="Events">How many events it has logged.</param>
/// <param name="From">When the first event of its pages was sent.</param>
/// <param name="Reached">When the last event of its pages was sent.</param>
/// <param name="To">When the room's first event was pushed.</param>
/// <param name="Waiting">Why it waits for the homeserver; <c>null</c> if it does not.</param>
/// <param name="Error">Why it ended; <c>null</c> if it did not, or has done all.</param>
internal sealed record BackfillJob(
    string RoomId, string? Since, string? Next = null, long Events = 0, long? From = null, long? Reached = null, long? To = null,
    string? Waiting = null, string? Error = null, bool IsDone = false)
{
    private const string Suffix = ".json";

    /// <summary>How much of the history's time its pages have passed, from 0 to 1; <c>null</c> if that is not known.</summary>
    [JsonIgnore]
    public double? Progress => From < To && Reached is { } reached
        ? Math.Clamp((double)(reached - From.Value) / (To.Value - From.Value), 0, 1)
        : null;

    /// <summary>The file of a room's job.</summary>
    public static string PathOf(string logs, string roomId) =>
        Path.Combine(logs, CheckedTime.FolderName, Files.FolderName.ForRoom(roomId) + Suffix);

    /// <summary>Reads a room's job; <c>null</c> if there is none.</summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static BackfillJob? Read(string path)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), BackfillJobJson.Default.BackfillJob);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Writes the file, durably.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Write(string path)
    {
        var folder = Path.GetDirectoryName(path)!;
        Posix.CreateFolder(folder);
        AtomicFile.Replace(path, Posix.LogFileMode, file =>
        {
            if (Environment.IsPrivilegedProcess)
            {
                // The service, which has another user, must be able to read it.
                FileOwner.Of(folder)?.ApplyTo(file.SafeFileHandle, path);
            }

            file.Write(JsonSerializer.SerializeToUtf8Bytes(this, BackfillJobJson.Default.BackfillJob));
        });
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BackfillJob))]
internal sealed partial class BackfillJobJson : JsonSerializerContext;
