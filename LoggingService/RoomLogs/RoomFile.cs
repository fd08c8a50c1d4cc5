using System.Globalization;
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
    private const string DayFormat = "yyyy-MM-dd";

    /// <summary>The <c>origin_server_ts</c> of the event with the wishes: older ones that are fetched don't replace it.</summary>
    public long? WishesTs { get; init; }

    /// <summary>The first day of the record with wishes that may not have been applied; <c>null</c> if there is none.</summary>
    public DateOnly? PendingWishesFrom { get; init; }

    /// <summary>The first day of the record with redactions whose erasure failed; <c>null</c> if there is none.</summary>
    public DateOnly? PendingRedactionsFrom { get; init; }

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
                PendingWishesFrom = ReadDay(json["pending_wishes_from"u8]),
                PendingRedactionsFrom = ReadDay(json["pending_redactions_from"u8]),
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

    private static DateOnly? ReadDay(RawJson value) =>
        DateOnly.TryParseExact(value.AsString(), DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

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

        WriteDay("pending_wishes_from", PendingWishesFrom);
        WriteDay("pending_redactions_from", PendingRedactionsFrom);
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

        void WriteDay(string name, DateOnly? value)
        {
            if (value is { } day)
            {
                json.WriteString(name, day.ToString(DayFormat, CultureInfo.InvariantCulture));
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
