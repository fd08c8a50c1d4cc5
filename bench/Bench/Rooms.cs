namespace Bench;

/// <summary>
/// The rooms that the numbered events of a load are spread over in turn. Each turn begins one room further, so that a room gets the
/// transaction's events one after the other, and not the same in each transaction.
/// </summary>
/// <param name="First">The number of the first room. Loads share no rooms.</param>
/// <param name="Count">The number of rooms; 0: a new room for each event.</param>
internal readonly record struct Rooms(long First, int Count)
{
    public static string Id(string number) => $"!room-{number}:example.org";

    /// <summary>The number of the room of an event.</summary>
    public long Of(long number) => First + (Count == 0 ? number : (((number - number / Count) % Count) + Count) % Count);

    /// <summary>The number of the event that a room got a number of its events before another one.</summary>
    public long Before(long number, int events) => number - (Count > 1 ? events * (Count + 1L) : events);

    /// <summary>How many of the first <paramref name="events"/> events belong to each room that has any.</summary>
    public Dictionary<long, long> Expected(long events)
    {
        var expected = new Dictionary<long, long>();
        var rest = Count == 0 ? events : events % Count;
        if (events >= Count && Count > 0)
        {
            for (var room = 0; room < Count; room++)
            {
                expected[First + room] = events / Count;
            }
        }

        for (var number = events - rest; number < events; number++)
        {
            expected[Of(number)] = expected.GetValueOrDefault(Of(number)) + 1;
        }

        return expected;
    }
}
