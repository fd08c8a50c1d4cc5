using LoggingService.Files;
using LoggingService.Rendering;

namespace LoggingService.RoomLogs;

/// <summary>
/// Keeps in <c>room.json</c> who may read a room's history, so that the newer days stay readable when the day with the event is removed.
/// Written when the event was logged, and for logs of earlier versions before days are removed.
/// </summary>
internal sealed class KeptVisibility(LogDirectory logs, RoomFiles files, RoomFileUpdates updates, TimeProvider time)
{
    private const string RobotsType = "m.room.robots";

    /// <summary>More are of no use: what is before the oldest one is not known.</summary>
    private const int MaxChanges = 200;

    /// <summary>Whether moderators want a room to be left out of public pages. Of an erased event that is not known.</summary>
    public static bool IsRefused(RoomEvent robots) =>
        ErasedEvent.IsStub(robots)
        || robots.Content["allow"u8].AsBoolean() == false
        || robots.Content["messages"u8].AsBoolean() == false
        || robots.Content["log"u8].AsBoolean() == false;

    /// <summary>
    /// When moderators said whether they want a room to be left out, in milliseconds since 1970. Of two clocks, the one is believed with
    /// which less is visible.
    /// </summary>
    public static long RobotsTime(RoomEvent robots)
    {
        var receivedAt = robots.ReceivedTs ?? 0;
        return robots.FetchedTs is null && IsRefused(robots) ? receivedAt : Math.Min(robots.OriginServerTs ?? receivedAt, receivedAt);
    }

    /// <summary>Keeps what days say that are about to be removed.</summary>
    /// <param name="folder">The name of the room's folder.</param>
    /// <param name="zone">In which its days are.</param>
    /// <exception cref="IOException">It can't be kept, and what <c>room.json</c> says would be wrong without it.</exception>
    public static void Keep(RoomFiles files, string root, string folder, IReadOnlyCollection<DateOnly> removed, TimeZoneInfo zone)
    {
        var path = Path.Combine(root, folder);
        try
        {
            // Once all days: an earlier version has kept nothing.
            var file = files.GetByFolder(folder);
            var days = file.HasAllVisibility
                ? removed.Order()
                : DayFileName.In(path).Where(name => name.IsRecord).Select(name => name.Day).Distinct().Order();
            var found = days.ToList().ConvertAll(day => (Day: day, Events: Read(path, day)));
            if (!file.HasAllVisibility || found.Exists(day => day.Events is not { Count: 0 }))
            {
                files.UpdateByFolder(
                    folder, known => found.Aggregate(known, (file, day) => With(file, day, zone)) with { HasAllVisibility = true });
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (files.FindByFolder(folder) is not { } file || file.Visibility.Any(change => change.IsWorldReadable))
            {
                throw new IOException($"{folder}/{RoomFolder.Properties} can't be written: {e.Message}", e);
            }
        }
    }

    /// <summary>The file with what a day's record says, in place of what it had of that day.</summary>
    private static RoomFile With(RoomFile file, (DateOnly Day, List<RoomEvent>? Events) day, TimeZoneInfo zone)
    {
        var kept = file with { Visibility = [.. file.Visibility.Where(change => change.Day != day.Day)] };
        return day.Events is null
            ? WithUnknown(kept, day.Day, zone)
            : day.Events.Aggregate(kept, (known, e) => With(known, e, day.Day));
    }

    /// <summary>The day can't be read: from its start on the history was not readable, and a change in it is not the last one.</summary>
    private static RoomFile WithUnknown(RoomFile file, DateOnly day, TimeZoneInfo zone) => Add(
        file, new(day, SentAt: StartOf(day, zone), ReceivedAt: StartOf(day.AddDays(1), zone) - 1, false, IsWorldReadable: false));

    /// <summary>In milliseconds since 1970; the earlier one, if the clock is set back at midnight.</summary>
    private static long StartOf(DateOnly day, TimeZoneInfo zone)
    {
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        var offset = zone.IsAmbiguousTime(midnight) ? zone.GetAmbiguousTimeOffsets(midnight).Max() : zone.GetUtcOffset(midnight);
        return new DateTimeOffset(midnight, offset).ToUnixTimeMilliseconds();
    }

    private static RoomFile With(RoomFile file, RoomEvent e, DateOnly day)
    {
        if (HistoryVisibility.Of(e, day) is { } change)
        {
            var isKnown = change.IsFirst && file.Visibility.Any(known => known.Day <= day);
            return isKnown ? file : Add(file, change with { IsFirst = false });
        }

        if (!IsRobots(e) || RenderContext.NoticeOf(e) is not null)
        {
            return file;
        }

        // What is pushed comes in order; of a day that is removed it may be older than what is known of later days.
        var isRefused = IsRefused(e);
        var time = e.FetchedTs is null ? e.ReceivedTs ?? 0 : RobotsTime(e);
        var isOlder = time < file.RobotsTs || (time == file.RobotsTs && e.FetchedTs is not null && !isRefused);
        return isOlder ? file : file with { IsRefused = isRefused, RobotsTs = RobotsTime(e) };
    }

    /// <summary>Once: a write that failed, and a repair of the record, add it again, with those that follow.</summary>
    private static RoomFile Add(RoomFile file, HistoryVisibility change)
    {
        var others = file.Visibility.Where(known => known != change);
        return file with { Visibility = [.. others.Append(change).OrderBy(known => known.Day).TakeLast(MaxChanges)] };
    }

    private static bool IsRobots(RoomEvent e) => e is { IsNote: false, Type: RobotsType, StateKeyText.Length: 0 };

    private static bool Tells(RoomEvent e) =>
        (e.IsNote || e is { Type: "m.room.history_visibility", StateKeyText.Length: 0 } || IsRobots(e))
        && (IsRobots(e) || HistoryVisibility.Of(e, default) is not null);

    /// <summary>The events of a day that tell something; <c>null</c> if it can't be read.</summary>
    private static List<RoomEvent>? Read(string folder, DateOnly day)
    {
        var record = Path.Combine(folder, DayFileName.Record(day).ToString());
        try
        {
            var events = new List<RoomEvent>();
            foreach (var line in DayFile.Find(record) is null ? [] : RecordReader.Lines(record))
            {
                var span = line.Bytes.Span;
                var mayTell = span.IndexOf("\"state_key\""u8) >= 0 || span.IndexOf("\\u00"u8) >= 0 || Note.IsRecord(span);
                if (mayTell && RoomEvent.FromRecord(line.Bytes) is { } e && Tells(e))
                {
                    events.Add(e.Copy());
                }
            }

            return events;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Begins to watch what is logged.</summary>
    public void Subscribe()
    {
        logs.Written += Track;
        logs.Removed.Removing = (folder, days) => Keep(files, logs.Root, folder, days, time.LocalTimeZone);
        logs.Removed.FolderRemoved = files.Forget;
    }

    private void Track(IReadOnlyList<LoggedLine> lines)
    {
        var told = lines.Where(line => Tells(line.Event)).Select(line => (Event: line.Event.Copy(), line.Day)).ToList();
        if (told.Count > 0)
        {
            // They are of one room.
            updates.Add(told[0].Event.RoomId, file => told.Aggregate(file, (known, e) => With(known, e.Event, e.Day)));
        }
    }
}
