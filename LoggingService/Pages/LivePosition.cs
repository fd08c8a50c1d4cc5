using System.Globalization;

namespace LoggingService.Pages;

/// <summary>
/// What a reader has of a day: the id of a live event. It means the same after a restart of either process, and tells nothing of events
/// that the reader may not see, not even how many there are.
/// </summary>
/// <param name="Last">The last event of the day that the reader may see (<see cref="PageLinks.Anchor"/>); empty if there is none.</param>
/// <param name="State">Of the day at that time. (<see cref="Visibility.RoomVisibility.StateOf"/>)</param>
internal readonly record struct LivePosition(DateOnly Day, string Last, string State)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Day:yyyyMMdd}-{Last}-{State}");

    public static LivePosition? Parse(string? text) => text?.Split('-') is [var day, var last, var state]
        && DateOnly.TryParseExact(day, "yyyyMMdd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var date)
            ? new(date, last, state)
            : null;
}
