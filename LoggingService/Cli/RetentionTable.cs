using System.Globalization;
using LoggingService.Rendering;
using LoggingService.RoomLogs;

namespace LoggingService.Cli;

/// <summary>What <c>HonourRoomRetention</c> removes, or would remove: the rooms that have a retention of their own.</summary>
internal static class RetentionTable
{
    private static readonly string[] Columns = ["ALIAS", "RETENTION", "KEPT DAYS", "REMOVED FILES", "SIZE", "ROOM"];

    /// <exception cref="IOException">A folder can't be read.</exception>
    public static void Write(string root, LoggingServiceOptions options, DateOnly today)
    {
        var entries = new DirectoryInfo(root).GetFileSystemInfos();
        var links = entries.Where(entry => entry.LinkTarget is not null).ToLookup(entry => entry.LinkTarget!, entry => entry.Name);
        List<string[]> rows = [Columns];
        foreach (var folder in entries.OfType<DirectoryInfo>().Where(entry => entry.LinkTarget is null && entry.Name.StartsWith('!')))
        {
            var lifetime = RoomFile.TryRead(folder.FullName)?.MaxLifetime ?? RoomRetention.Find(folder.FullName);
            if (lifetime > 0 && RoomRetention.DaysKept(lifetime, options) is { } days)
            {
                var removed = Retention.FindDaysBefore(folder.FullName, today.AddDays(-days)).ToList();
                rows.Add(
                [
                    string.Join(", ", links[folder.Name].Order(StringComparer.Ordinal).Select(link => $"#{link}").DefaultIfEmpty("-")),
                    Describe(lifetime / 86_400_000.0),
                    days.ToString(CultureInfo.InvariantCulture),
                    removed.Count.ToString(CultureInfo.InvariantCulture),
                    TextTable.Size(removed.Sum(file => file.Length)),
                    SafeText.Escape(folder.Name),
                ]);
            }
        }

        TextTable.Write(rows, [2, 3, 4]);
        if (options.HonourRoomRetention != "on")
        {
            Console.WriteLine("HonourRoomRetention is off: no room's own retention removes anything.");
        }
    }

    private static string Describe(double days) =>
        string.Create(CultureInfo.InvariantCulture, $"{days:0.#} {(days == 1 ? "day" : "days")}");
}
