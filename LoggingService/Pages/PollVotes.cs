using LoggingService.Visibility;

namespace LoggingService.Pages;

/// <summary>Counts the votes in a poll. (MSC3381.)</summary>
internal static class PollVotes
{
    /// <summary>The votes for each answer, by its id: of each user the last ones before the end.</summary>
    /// <param name="end">The event that ended the poll; <c>null</c> if it has not ended.</param>
    /// <param name="maximum">How many answers a user may select.</param>
    public static Dictionary<string, int> Count(IReadOnlyList<VisibleEvent> responses, VisibleEvent? end, int maximum)
    {
        var selections = new Dictionary<string, IReadOnlyList<string>>();
        foreach (var response in responses)
        {
            if (response is { Stub: null, Event.Sender: { } sender } && (end is null || response.Position < end.Position))
            {
                selections[sender] = SelectionsOf(response.Event.Content, maximum);
            }
        }

        return selections.Values.SelectMany(answers => answers).CountBy(answer => answer).ToDictionary();
    }

    private static List<string> SelectionsOf(RawJson content, int maximum)
    {
        var stable = content["m.selections"u8];
        var selections = stable.Bytes.IsEmpty ? content["org.matrix.msc3381.poll.response"u8]["answers"u8] : stable;
        return [.. selections.Items().Select(answer => answer.AsString()).OfType<string>().Distinct().Take(maximum)];
    }
}
