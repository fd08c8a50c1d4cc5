using System.Text;
using LoggingService.Files;

namespace LoggingService.Tests;

/// <summary>Names of rooms and aliases in the file system: two different ones never meet, and none leads out of the folder.</summary>
public class FolderNameTests
{
    [Theory]
    [InlineData("!QkWxAbc:example.org", "!QkWxAbc:example.org")]
    [InlineData("!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM", "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM")]
    [InlineData("!", "!")]
    [InlineData("!..", "!..")]
    [InlineData("!../../etc:x", "!..%2F..%2Fetc:x")]
    [InlineData("!a b\0\n:x", "!a%20b%00%0A:x")]
    [InlineData("!é漢😀\u202Ex", "!é漢%F0%9F%98%80%E2%80%AEx")]
    [InlineData("!%2F~!", "!%252F%7E%21")]
    public void A_room_id_keeps_letters_digits_and_a_few_signs(string roomId, string folder) => Assert.Equal(folder, FolderName.ForRoom(roomId));

    [Theory]
    [InlineData("logged_test", "logged_test")]
    [InlineData("", "%")]
    [InlineData(".", "%2E")]
    [InlineData("..", "%2E.")]
    [InlineData(".journal", "%2Ejournal")]
    [InlineData("-rf", "%2Drf")]
    [InlineData("!abc", "%21abc")]
    [InlineData("logged_a/b", "logged_a%2Fb")]
    [InlineData("logged_..", "logged_..")]
    [InlineData("a:b", "a%3Ab")]
    public void An_aliass_link_begins_with_neither_dot_nor_dash_nor_what_a_room_begins_with(string localpart, string link) =>
        Assert.Equal(link, FolderName.ForAlias(localpart));

    [Fact]
    public void All_names_of_up_to_two_nasty_characters_stay_apart_and_inside()
    {
        char[] alphabet =
        [
            .. Enumerable.Range(0, 256).Select(c => (char)c), '\u0130', '\u0131', '\u0301', '\u0416', '\u200B', '\u200F', '\u202E', '\u2028', '\u2044',
            '\u2215', '\u212A', '\u3000', '\u4E00', '\uD83D', '\uD800', '\uDE00', '\uDFFF', '\uE000', '\uFEFF', '\uFF0E', '\uFF0F', '\uFFFD', '\uFFFE', '\uFFFF',
        ];
        List<string> names = ["", .. alphabet.Select(c => c.ToString()), .. from a in alphabet from b in alphabet select $"{a}{b}"];
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in names)
        {
            var (room, alias) = (FolderName.ForRoom("!" + name), FolderName.ForAlias(name));
            Assert.True(found.Add(room), $"{Escape(name)} has another room's folder");
            Assert.True(found.Add(alias), $"{Escape(name)} has another's link");
            AssertHarmless(room);
            AssertHarmless(alias);
            Assert.StartsWith("!", room, StringComparison.Ordinal);
            Assert.DoesNotContain(alias[0], "!.-");
        }
    }

    [Fact]
    public void Long_names_fit_and_stay_apart()
    {
        string[] letters = ["a", "漢", "/", "😀", "\uD800", "𝒜"];
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var letter in letters)
        {
            for (var length = 1; length <= 260; length++)
            {
                var name = string.Concat(Enumerable.Repeat(letter, length));
                foreach (var folder in new[] { FolderName.ForRoom("!" + name), FolderName.ForAlias(name), FolderName.ForAlias(name + "b"), FolderName.ForRoom("!" + name + "b") })
                {
                    Assert.True(found.Add(folder), $"{length} of {Escape(letter)}");
                    Assert.InRange(Encoding.UTF8.GetByteCount(folder), 1, 200);
                    AssertHarmless(folder);
                }
            }
        }
    }

    [Fact]
    public void A_short_name_can_not_be_chosen_to_be_that_of_a_long_one()
    {
        var folder = FolderName.ForAlias(new string('a', 300));
        Assert.Contains('~', folder);
        Assert.NotEqual(folder, FolderName.ForAlias(folder));
    }

    private static void AssertHarmless(string name)
    {
        Assert.Equal("/logs/" + name, Path.GetFullPath(Path.Combine("/logs", name)));
        Assert.All(name, c => Assert.False(char.IsControl(c) || char.IsWhiteSpace(c) || c is '/' or '\\'));

        // What is written to the disk is what was meant: no unpaired surrogate becomes U+FFFD.
        Assert.Equal(name, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name)));
    }

    private static string Escape(string name) => string.Concat(name.Select(c => $"\\u{(int)c:X4}"));
}
