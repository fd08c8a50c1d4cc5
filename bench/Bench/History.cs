using System.Runtime.InteropServices;
using System.Text;

namespace Bench;

/// <summary>Writes the logs of the 30 days before today, as a program that isn't running has left them.</summary>
internal static class History
{
    private const int Days = 30;

    /// <summary>
    /// Creates the rooms' folders. A day's files have the same content in every room, and are hard links: only the ids matter, and
    /// those are of a room.
    /// </summary>
    public static void Create(Contender contender, Rooms rooms, int eventsPerDay)
    {
        var folders = Enumerable.Range(0, rooms.Count).Select(i => Path.GetDirectoryName(contender.FileOf(rooms.First + i))!).ToList();
        folders.ForEach(folder => Directory.CreateDirectory(folder));
        for (var day = Today.Date.AddDays(-Days); day < Today.Date; day = day.AddDays(1))
        {
            var record = Path.Combine(folders[0], Today.Name(day) + ".jsonl");
            var text = Path.Combine(folders[0], Today.Name(day) + ".log");
            WriteDay(record, text, day, Rooms.Id(rooms.First.ToString("D13")), eventsPerDay);
            foreach (var folder in folders.Skip(1))
            {
                Link(record, Path.Combine(folder, Path.GetFileName(record)));
                Link(text, Path.Combine(folder, Path.GetFileName(text)));
            }
        }

        folders.ForEach(folder => File.CreateSymbolicLink(Path.Combine(folder, "latest.log"), Today.Name(Today.Date.AddDays(-1)) + ".log"));
    }

    private static void WriteDay(string recordPath, string textPath, DateOnly day, string room, int events)
    {
        using var record = new StreamWriter(recordPath);
        using var text = new StreamWriter(textPath);
        var midnight = new DateTimeOffset(day.ToDateTime(default), Today.Offset);
        for (var i = 0; i < events; i++)
        {
            var time = midnight.AddSeconds(86_399.0 * i / events);
            var milliseconds = time.ToUnixTimeMilliseconds();
            var id = $"$history-{Today.Name(day)}-{i:D13}-abcdefghijklmnopqrst";
            record.Write($$"""{"event_id":"{{id}}","type":"m.room.message","room_id":"{{room}}","sender":"@alice:example.org",""");
            record.Write($"\"origin_server_ts\":{milliseconds},\"content\":{{\"msgtype\":\"m.text\",\"body\":\"message {i} of a day\"}}");
            record.Write($",\"received_ts\":{milliseconds}}}\n");
            text.Write($"{time:yyyy-MM-dd HH:mm:ss zzz} <@alice:example.org> message {i} of a day\n");
        }
    }

    private static void Link(string existing, string name)
    {
        if (HardLink(Encoding.UTF8.GetBytes(existing + "\0"), Encoding.UTF8.GetBytes(name + "\0")) != 0)
        {
            throw new IOException($"link {name}: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int HardLink(byte[] existing, byte[] name);
}
