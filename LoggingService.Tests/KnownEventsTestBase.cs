using System.Runtime.Versioning;
using System.Text;
using LoggingService.Events;
using LoggingService.Files;
using LoggingService.RoomLogs;

namespace LoggingService.Tests;

/// <summary>A room's folder with records, texts and <c>.ids</c> files of some days.</summary>
[UnsupportedOSPlatform("windows")]
public abstract class KnownEventsTestBase : IDisposable
{
    protected static readonly DateOnly Today = new(2026, 11, 23);
    protected static readonly DateOnly Yesterday = Today.AddDays(-1);
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("known");

    protected string Folder => _folder.FullName;

    public void Dispose()
    {
        _folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    protected static string Event(string id) => Json(id, "m.room.message", "{}");

    protected static string Edit(string id, string target) =>
        Json(id, "m.room.message", $$$"""{"m.relates_to":{"rel_type":"m.replace","event_id":"{{{target}}}"} }""");

    protected static string State(string id, string type, string stateKey) => Json(id, type, $$"""{},"state_key":"{{stateKey}}" """);

    protected static string Redaction(string id, string target) => Json(id, "m.room.redaction", $$"""{"redacts":"{{target}}"}""");

    protected static string OldRedaction(string id, string target) => Json(id, "m.room.redaction", $$"""{},"redacts":"{{target}}" """);

    protected static string Json(string id, string type, string content) =>
        $$"""{"event_id":"{{id}}","room_id":"!r:e.org","type":"{{type}}","content":{{content}}}""";

    protected static string Line(string json) => $"{json[..^1]},\"received_ts\":1}}\n";

    private protected static bool IsRemoved(KnownEvents known, string id) => known.FindRedaction(id) is not null;

    private protected static int Count(KnownEvents known, string prefix, int count) =>
        Enumerable.Range(0, count).Count(i => known.Contains($"{prefix}{i}"));

    protected static void Truncate(string path, long length)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.SetLength(length);
    }

    private protected KnownEvents Open(DateOnly day) => KnownEvents.Open(Folder, day);

    protected void OpenAndSave(DateOnly day)
    {
        var known = Open(day);
        var (record, text) = Stats(day);
        known.Save(record, text);
    }

    private protected void Start(KnownEvents known, DateOnly day)
    {
        var (record, text) = Stats(known.Day);
        known.StartDay(day, record, text);
    }

    private protected void Append(KnownEvents known, string json)
    {
        var roomEvent = RoomEvent.FromRecord(Encoding.UTF8.GetBytes(json));
        Assert.NotNull(roomEvent);
        var record = Record(known.Day);
        var offset = File.Exists(record) ? new FileInfo(record).Length : 0;
        File.AppendAllText(record, Line(json));
        known.Add(EventKeys.Of(roomEvent), offset);
    }

    // In place: inode, length and time stay.
    protected void Overwrite(DateOnly day, string content)
    {
        var time = File.GetLastWriteTimeUtc(Record(day));
        using (var file = new FileStream(Record(day), FileMode.Open))
        {
            Assert.Equal(file.Length, content.Length);
            file.Write(Encoding.UTF8.GetBytes(content));
        }

        File.SetLastWriteTimeUtc(Record(day), time);
    }

    protected void WriteMany(DateOnly day, int count, string prefix = "$m") =>
        File.WriteAllText(Record(day), string.Concat(Enumerable.Range(0, count).Select(i => Line(Event($"{prefix}{i}")))));

    private protected (Posix.FileIdentity? Record, Posix.FileIdentity? Text) Stats(DateOnly day) =>
        (Posix.Stat(Record(day)), Posix.Stat(Text(day)));

    protected string Record(DateOnly day) => Path.Combine(Folder, DayFileName.Record(day).ToString());

    protected string Text(DateOnly day) => Path.Combine(Folder, DayFileName.Text(day).ToString());

    protected string Ids(DateOnly day) => Path.Combine(Folder, DayFileName.Ids(day).ToString());
}
